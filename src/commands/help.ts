/** What `sallyport --help` says. */

const commands: [usage: string, does: string][] = [
  ['start', 'serves; migrates the database first'],
  ['migrate', 'applies migrations'],
  ['secret', 'makes a SECRET_KEY'],
  ['verifier:create --name orders', 'makes a credential for a service that follows the feed'],
  ['keys:rotate [--force]', 'signs with the next key from now on'],
  ['keys:revoke --kid … | --all', 'withdraws stolen signing keys'],
  ['secrets:rotate', 'seals stored keys with the first secret again'],
  ['user:create --email … [--name …] [--role …]', 'adds a user'],
  ['user:roles --email … --set a,b', 'gives a user these roles and no others'],
  ['user:password --email …', 'sets a password, and logs the user out everywhere'],
  ['user:sessions --email … [--ended]', "lists a user's sessions"],
  ['user:logout --email …', "ends all of a user's sessions"],
  ['user:ban --email … [--until …] [--reason …]', 'bans a user'],
  ['user:unban --email …', 'lifts a ban'],
  ['ip:block --cidr … [--until …] [--reason …]', 'refuses an address or a range'],
  ['ip:allow --cidr … [--until …] [--reason …]', 'exempts one from the limits on addresses'],
  ['ip:remove --cidr …', 'takes one off its list'],
  ['ip:list', 'lists blocked and allowed addresses'],
  ['audit [--user …] [--event …] [--since 24h] [--limit 100]', 'shows the audit trail'],
]

const width = Math.max(...commands.map(([usage]) => usage.length)) + 2

export const helpLines: readonly string[] = [
  'Usage: sallyport <command>',
  '',
  ...commands.map(([usage, does]) => `  ${usage.padEnd(width)}${does}`),
  '',
  'Settings come from the environment, or a file .env in the working directory. Without DATABASE_URL the database is',
  'embedded, and kept in .data there. Passwords are asked for, or read from standard input.',
]
