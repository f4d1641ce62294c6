import t from 'tap'
import { isStrong } from '../../../src/features/passwords/strength.js'

const owner = { email: 'ada.lovelace@analytical-engine.example', name: 'Augusta Ada King' }

const guessable: Record<string, string[]> = {
  'an extended common password': [
    'password1234567',
    'passwordpassword',
    'P@ssw0rdP@ssw0rd',
    'p@55w0rd12345678',
    'iloveyouiloveyou',
    'letmeinletmein123',
    'trustno1trustno1',
    'football1football1',
    'dragon dragon dragon',
  ],
  'a repeat': [
    'aaaaaaaaaaaaaaa',
    'aaaaaaaaaaaaaaab',
    'abcabcabcabcabcabc',
    '!!!!!!!!!!!!!!!!!',
    '               ',
    'ééééééééééééééé',
    'the the the the the',
    'a'.repeat(256),
    'password'.repeat(32),
  ],
  'a sequence': ['123456789012345', '1234567890123456789', 'abcdefghijklmnopqrstuvwxyz', 'zyxwvutsrqponmlkjihgfedcba'],
  'a keyboard pattern': [
    'qwertyuiopasdfgh',
    'asdfghjklasdfghjkl',
    '1qaz2wsx3edc4rfv',
    'zaq12wsxcde34rfv',
    'qwertzuiopyxcvbn',
  ],
  'data of the owner': [
    'ada.lovelace@analytical-engine.example',
    'ADA.LOVELACE@ANALYTICAL-ENGINE.EXAMPLE',
    'ada.lovelace@analytical-engine.example1815',
    'xx-ada.lovelace@analytical-engine.example',
    'adalovelace12345',
    'ada lovelace ada lovelace',
    'Ada-Lovelace-1815',
    'analyticalengine',
    'Augusta Ada King',
    'augustaadaking99',
    'AugustaKing1815!',
    'lovelace2026lovelace',
    'ecalevoladaecalevolada',
    '4ugu5t4 4d4 k1ng',
  ],
  'the name of the service': [
    'sallyportsallyport',
    'sallyport1234567',
    'Sallyport2026!!!',
    'Sallyport Sallyport Sallyport',
    'welcometosallyport',
  ],
  'one of these with similar letters': ['ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ', 'ａｄａ　ｌｏｖｅｌａｃｅ　ａｄａ'],
}

const strong = [
  'copper lantern drifts over seven hills',
  'mossy kettle argues quietly',
  'seventeen purple submarines waltz',
  'tundra-pickle-orbit-42',
  'onlylowercaseletterstoguessfrom wombat',
  'vK3#pQ9!zR7@mW2x',
  'xq7 hjv pd3 mzk 9wt',
  '9f86d081884c7d65',
  '837193650284617305927',
  'Größenwahn trifft Käsebrot',
  'лесная дорога к морю',
  '木漏れ日の下で猫が眠っている',
  '🦊🌲🚲🍋🎻🧊🪁🌵🐙🍩🚀🎈🧲🦔🪐',
  `${'a'.repeat(200)}vK3#pQ9!zR7@mW2x`,
  'ada found a copper lantern over seven hills',
]

t.test('PWD-04: guessable passwords are refused', async (t) => {
  for (const [kind, passwords] of Object.entries(guessable)) {
    for (const password of passwords) t.equal(await isStrong(password, owner), false, `${kind}: ${password}`)
  }
})

t.test('PWD-02: a password that is hard to guess is accepted, in any script and with any characters', async (t) => {
  for (const password of strong) t.equal(await isStrong(password, owner), true, password)
})

t.test('PWD-04: names that look like patterns are taken literally', async (t) => {
  const odd = { email: 'a.b+c@x.y', name: '(a|b)+ [x]{1} .* ^$ \\d ?/' }
  t.equal(await isStrong('tundra-pickle-orbit-42', odd), true)
  t.equal(await isStrong('(a|b)+ [x]{1} .* ^$ \\d ?/', odd), false)
  t.equal(await isStrong('tundra-pickle-orbit-42', { email: 'a@b.example', name: null }), true)
})
