import { readFileSync } from 'node:fs'
import t from 'tap'
import { createPublishedCheck, examplePasswords } from '../../../src/features/passwords/published.js'

const root = new URL('../../../', import.meta.url)

t.test('PWD-04: passphrases that everybody knows are refused, however they are written', async (t) => {
  const isPublished = createPublishedCheck({ refusesExamples: false })
  for (const written of [
    'correct horse battery staple',
    'correcthorsebatterystaple',
    'Correct-Horse-Battery-Staple!',
    'CORRECT_HORSE_BATTERY_STAPLE_2026',
    'my correct horse battery staple',
  ]) {
    t.equal(isPublished(written), true, written)
  }
  for (const other of ['correct horse battery', 'staple battery horse correct', ...examplePasswords]) {
    t.equal(isPublished(other), false, other)
  }
})

t.test('PWD-04: in production those of our own guides are refused too', async (t) => {
  const isPublished = createPublishedCheck({ refusesExamples: true })
  for (const password of examplePasswords) t.equal(isPublished(password), true, password)
  for (const path of ['README.md', 'docs/openapi.json', 'postman/sallyport.postman_environment.json']) {
    const text = readFileSync(new URL(path, root), 'utf8')
    for (const [, password = ''] of text.matchAll(/password\\?": ?\\?"([^"\\{}…]{15,})\\?"/g)) {
      t.equal(isPublished(password), true, `${path}: ${password}`)
    }
  }
})
