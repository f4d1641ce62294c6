import { credentialCommands } from './credentials.js'
import { mailPreviewCommands } from './mail-preview.js'

/** The commands that need no database: they run in the process of the command line, whether or not a server runs. */
export const localCommands: Record<string, (args: string[]) => string[] | Promise<string[]>> = {
  ...credentialCommands,
  ...mailPreviewCommands,
}
