import t from 'tap'
import { createEventParser, type ServerSentEvent } from '../../src/wire/event-parser.js'

function event(type: string, data: string, id = ''): ServerSentEvent {
  return { type, data, id }
}

const table: [string, string, ServerSentEvent[]][] = [
  ['one event', 'event: beat\ndata: 1\n\n', [event('beat', '1')]],
  ['no type', 'data: 1\n\n', [event('message', '1')]],
  ['CRLF', 'event: beat\r\ndata: 1\r\n\r\nevent: beat\r\ndata: 2\r\n\r\n', [event('beat', '1'), event('beat', '2')]],
  ['CR', 'event: beat\rdata: 1\r\rdata: 2\r\r', [event('beat', '1'), event('message', '2')]],
  ['comments', ': hello\n:\n\ndata: 1\n: in between\n\n:\n\n', [event('message', '1')]],
  ['data of several lines', 'data: a\ndata:\ndata:  b\n\n', [event('message', 'a\n\n b')]],
  [
    'an id that persists',
    'id: 7\ndata: 1\n\ndata: 2\n\nid\ndata: 3\n\n',
    [event('message', '1', '7'), event('message', '2', '7'), event('message', '3', '')],
  ],
  ['an id with NUL', 'id: a\0b\ndata: 1\n\n', [event('message', '1')]],
  ['an id without data', 'id: 7\n\ndata: 1\n\n', [event('message', '1', '7')]],
  ['unknown fields', 'retry: 1000\n\nfoo: bar\ndata:1\n\n', [event('message', '1')]],
  ['a byte order mark', '\uFEFFdata: 1\n\n', [event('message', '1')]],
  ['an incomplete event', 'data: 1\n\ndata: 2\n', [event('message', '1')]],
  ['characters outside the basic plane', 'data: 🚪\n\n', [event('message', '🚪')]],
]

for (const [name, text, expected] of table) {
  t.test(`reads ${name}, wherever it is split`, async (t) => {
    t.strictSame(createEventParser(100).push(text), expected, 'in one piece')
    const parser = createEventParser(100)
    t.strictSame(
      text.split('').flatMap((letter) => parser.push(letter)),
      expected,
      'character by character',
    )
    for (let at = 0; at <= text.length; at += 1) {
      const parser = createEventParser(100)
      t.strictSame([...parser.push(text.slice(0, at)), ...parser.push(''), ...parser.push(text.slice(at))], expected)
    }
  })
}

t.test('buffers no more than the maximum, for any kind of stream', async (t) => {
  const endless = ['data: ' + 'x'.repeat(30), 'data: xxxx\n', 'x', 'data: ' + 'x'.repeat(200) + '\n\n', 'data\n']
  for (const piece of endless) {
    const parser = createEventParser(100)
    t.throws(
      () => {
        for (let count = 0; count < 200; count += 1) parser.push(piece)
      },
      piece.slice(0, 20),
    )
  }
})

t.test('a stream of short events and comments can be endless', async (t) => {
  const parser = createEventParser(100)
  for (let count = 0; count < 200; count += 1) {
    t.equal(parser.push(`: comment\nid: ${count}\nevent: beat\ndata: ${'x'.repeat(50)}\n\n: comment\n`).length, 1)
  }
})
