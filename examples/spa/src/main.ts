/** The page: one client, and a module for each part. */
import { createClient } from '@sallyport/client'
import { mountDevices } from './devices.js'
import { mountEntrance } from './entrance.js'
import { element } from './elements.js'
import { mountLogin } from './login.js'
import { mountMailCode } from './mail-code.js'
import { mountPassword } from './password.js'
import { mountProfile } from './profile.js'
import { mountProtectedCalls } from './protected-calls.js'
import { mountProviders } from './providers.js'
import { mountSecondFactors } from './second-factors.js'
import { mountSecondStep } from './second-step.js'
import { mountStepUp, type AskAgain } from './step-up.js'
import { mountTokenClock } from './token-clock.js'

const { SALLYPORT_URL, RESOURCE_SERVER_URL } = import.meta.env

const dialog: { askAgain?: AskAgain } = {}

const client = createClient({
  baseUrl: SALLYPORT_URL,
  mode: 'cookie',
  origins: RESOURCE_SERVER_URL === null ? [] : [RESOURCE_SERVER_URL],
  onStepUp: (challenge) => dialog.askAgain?.(challenge) ?? Promise.reject(new Error('The page is not ready.')),
})

mountTokenClock(client)
dialog.askAgain = mountStepUp(client)
const showSecondStep = mountSecondStep(client)
const showMailCode = mountMailCode(client, showSecondStep)
mountLogin(client, { showMailCode, showSecondStep })
mountDevices(client)
mountProtectedCalls(client, RESOURCE_SERVER_URL)
mountProfile(client, showMailCode)
mountPassword(client)
mountSecondFactors(client)
const comeBack = mountProviders(client)
// Without a mail server, a Sallyport in development keeps the mails in a page of its own.
const inbox = element('inbox', HTMLAnchorElement)
inbox.href = `${SALLYPORT_URL}/dev/inbox`
inbox.hidden = new URL(SALLYPORT_URL).hostname !== 'localhost'

// Last, because it shows what the others have rendered, and restores the session.
mountEntrance(client, comeBack)
