/** The output of `sallyport --help`. */

const commands: [usage: string, does: string][] = [
  ['start', 'migrates the database and starts the server'],
  ['migrate', 'applies pending migrations'],
  ['secret', 'generates a SECRET_KEY'],
  ['verifier:create --name orders', 'creates a credential for a service that verifies tokens'],
  ['keys:rotate [--force]', 'starts signing with the next key'],
  ['keys:revoke --kid … | --all', 'revokes stolen signing keys'],
  ['secrets:rotate', 're-encrypts stored keys with the first secret'],
  ['user:create --email … [--name …] [--role …]', 'creates a user'],
  ['user:invite --email … [--role …] [--locale …]', 'mails an invitation to make an account'],
  ['user:roles --email … --set a,b', 'sets the roles of a user'],
  ['user:password --email …', 'sets a password and ends all sessions'],
  ['user:email --email … --to …', 'changes the e-mail address of a user'],
  ['user:delete --email …', 'deletes a user'],
  ['user:sessions --email … [--ended]', "lists a user's sessions"],
  ['user:logout --email …', "ends all of a user's sessions"],
  ['user:ban --email … [--until …] [--reason …]', 'bans a user'],
  ['user:unban --email …', 'lifts a ban'],
  ['user:factors --email …', "lists a user's second factors"],
  ['user:factors-reset --email … --reason …', "removes a user's second factors"],
  ['ip:block --cidr … [--until …] [--reason …]', 'blocks an address or a range'],
  ['ip:allow --cidr … [--until …] [--reason …]', 'exempts an address or a range from address limits'],
  ['ip:remove --cidr …', 'removes a block or an exemption'],
  ['ip:list', 'lists blocked and allowed addresses'],
  ['mail:list [--state …] [--limit 100]', 'lists mails that wait or failed, and why'],
  ['mail:retry --id … | --all', 'makes mails due now that wait or failed'],
  ['mail:preview --to …', 'writes every mail in every language to a folder'],
  ['audit [--user …] [--event …] [--since 24h] [--limit 100]', 'shows the audit trail'],
]

const width = Math.max(...commands.map(([usage]) => usage.length)) + 2

export const helpLines: readonly string[] = [
  'Usage: sallyport <command>',
  '',
  ...commands.map(([usage, does]) => `  ${usage.padEnd(width)}${does}`),
  '',
  'Settings are read from the environment and from .env in the working directory. Without DATABASE_URL, an embedded',
  'database in .data is used. Passwords are prompted for, or read from standard input.',
]
