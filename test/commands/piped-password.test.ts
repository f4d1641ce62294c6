import t from 'tap'
import { CommandError } from '../../src/commands/command.js'
import { parsePipedPassword } from '../../src/commands/piped-password.js'

const bytesOf = (text: string) => Buffer.from(text)

t.test('the end of the line and a byte order mark are not part of a piped password', async (t) => {
  const password = 'copper lantern drifts – über 7 hills'
  for (const text of [password, `${password}\n`, `${password}\r\n`, `\ufeff${password}`, `\ufeff${password}\r\n`]) {
    t.equal(parsePipedPassword(bytesOf(text)), password, JSON.stringify(text))
  }
  t.equal(parsePipedPassword(bytesOf('-vK3#pQ9!zR7@mW2x\n')), '-vK3#pQ9!zR7@mW2x')
})

t.test('what might not be what the user types is refused, with what is wrong and without the password', async (t) => {
  const password = 'copper lantern drifts'
  const refused: [bytes: Buffer, fault: RegExp][] = [
    [bytesOf(''), /^A password is required/],
    [bytesOf('\n'), /^A password is required/],
    [bytesOf('\ufeff\r\n'), /^A password is required/],
    [bytesOf(`${password}\nnot the password\n`), /has more than one line/],
    [bytesOf(`${password}\r\nnot the password`), /has more than one line/],
    [bytesOf(`${password}\n\n`), /has more than one line/],
    [bytesOf(`\n${password}\n`), /has more than one line/],
    [bytesOf(`${password}\r`), /has more than one line/],
    [bytesOf(`${password} \n`), /begins or ends with a space/],
    [bytesOf(` ${password}`), /begins or ends with a space/],
    [bytesOf(`${password}\u00a0\r\n`), /begins or ends with a space/],
    [bytesOf(`${password}\ufeff`), /begins or ends with a space/],
    [bytesOf(`${password}\t`), /contains control characters/],
    [bytesOf(`\u001b[200~${password}\u001b[201~\n`), /contains control characters/],
    [bytesOf(`${password}\u0085`), /contains control characters/],
    [Buffer.from(`\ufeff${password}\r\n`, 'utf16le'), /is not UTF-8/],
    [Buffer.from(`${password}\n`, 'utf16le'), /is not UTF-8/],
    [Buffer.from('pässword of the user\n', 'latin1'), /is not UTF-8/],
    [bytesOf('x'.repeat(4097)), /has more than 4096 bytes/],
  ]
  for (const [bytes, fault] of refused) {
    try {
      t.fail(`was taken for ${parsePipedPassword(bytes)}`)
    } catch (error) {
      t.ok(error instanceof CommandError)
      t.match(String(error), new RegExp(`^CommandError: .*${fault.source.replace('^', '')}`))
      t.notOk(String(error).includes(password))
    }
  }
})
