import t from 'tap'
import { z } from 'zod'
import { countCodePoints, text } from '../../../src/platform/http/text.js'

t.test('HTTP-03: text is well-formed Unicode without NUL', (t) => {
  const schema = text({ max: 10 })
  for (const good of ['', 'a', 'ß', '😀😀', '\u{10ffff}', 'میرے\u200cنام', '👩\u200d🚀'])
    t.ok(schema.safeParse(good).success, good)
  for (const bad of ['\ud83d', 'a\udc00b', '\udc00\ud83d', 'a\0b']) t.notOk(schema.safeParse(bad).success)
  t.notOk(schema.safeParse(1).success, 'nothing is coerced')
  t.end()
})

t.test('free text has no character that ends its line, turns its direction or commands a terminal', (t) => {
  const marks = ['\n', '\r', '\t', '\u001b', '\u007f', '\u0085', '\u009b', '\u2028', '\u2029']
  const directions = ['\u061c', '\u200e', '\u200f', '\u202a', '\u202e', '\u2066', '\u2069']
  for (const character of [...marks, ...directions]) {
    const value = `Ada${character}`
    const fault = [{ message: 'Must not contain control characters, line breaks or direction marks' }]
    t.match(text({ max: 10 }).safeParse(value).error?.issues, fault, `U+${character.codePointAt(0)?.toString(16)}`)
    t.ok(text({ max: 10, isSecret: true }).safeParse(value).success, 'what is never shown may have it')
  }
  t.end()
})

t.test('PWD-01: lengths are counted in code points', (t) => {
  const schema = text({ min: 2, max: 3 })
  t.notOk(schema.safeParse('😀').success)
  t.ok(schema.safeParse('😀😀😀').success)
  t.notOk(schema.safeParse('😀😀😀😀').success)
  t.match(schema.safeParse('a').error?.issues, [{ code: 'too_small' }])
  t.match(schema.safeParse('abcd').error?.issues, [{ code: 'too_big' }])
  t.equal(countCodePoints('a😀b'), 3)
  t.match(z.toJSONSchema(schema), { minLength: 2, maxLength: 3 })
  t.end()
})
