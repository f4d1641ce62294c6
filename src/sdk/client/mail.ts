/**
 * The calls around mails, for pages and apps with a client: a forgotten password, a code instead of a password, an address to
 * confirm or to change, an invitation, and the answers to notices. A call that sends a mail resolves to the pending flow,
 * which survives a reload or a restart: `pendingFlow` finds it again. A call that signs in does it as `login` does.
 */
export { cancelEmailChange, changeEmail, type EmailChangeRequest } from './email-change.js'
export type { FlowKind, PendingFlow } from './flow-storage.js'
export { readLink, type Link } from './link.js'
export { forgetPendingFlow, pendingFlow, resend, type MailProof } from './pending-flow.js'
export {
  forgotPassword,
  notMe,
  resetPassword,
  undoEmailChange,
  type ForgottenPassword,
  type NoticeProof,
} from './recovery.js'
export {
  acceptInvitation,
  requestCode,
  signInWithCode,
  verifyEmail,
  type CodeRequest,
  type InvitationRequest,
} from './signing-in-by-mail.js'
