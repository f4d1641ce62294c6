import t from 'tap'
import { asForm } from '../../../bench/fuzz/contents.js'

t.test('any value can be encoded as a form', async (t) => {
  t.equal(asForm({ token: 'a b', token_type_hint: 1 }), 'token=a+b&token_type_hint=1')
  t.equal(asForm({ token: [Object.create(null)], other: null }), 'token=%5B%7B%7D%5D&other=null')
  for (const value of [null, undefined, 1, true, [], 'text']) t.equal(asForm(value), '')
})
