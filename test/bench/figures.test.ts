import t from 'tap'
import { drawFigures } from '../../bench/picture.js'
import { selfTimes } from '../../bench/profile.js'
import { inTurns, isMet, ratioOf, type Line } from '../../bench/row.js'
import { printTable, writeTable } from '../../bench/table.js'

function line(changes: Partial<Line>): Line {
  const ratio = { figure: '60 /s', limit: 'pgbench: 100 /s', score: 0.6, unit: '', goal: { atLeast: 0.6 } }
  return { what: 'refresh', ...ratio, ...changes }
}

t.test('a goal is a minimum or a maximum', async (t) => {
  t.ok(isMet(line({})))
  t.notOk(isMet(line({ score: 0.59 })))
  t.ok(isMet(line({ score: 5, goal: { atMost: 5 } })))
  t.notOk(isMet(line({ score: 5.1, goal: { atMost: 5 } })))
  t.notOk(isMet(line({ score: NaN })), 'a figure that could not be measured does not meet it')
})

t.test('a figure and its limit alternate, and each begins equally often', async (t) => {
  const taken: string[] = []
  const take = (name: string, value: number) => () => {
    taken.push(name)
    return Promise.resolve(value * taken.length)
  }
  const pairs = await inTurns(2, take('figure', 10), take('limit', 20))
  t.equal(taken.join(' '), 'figure limit limit figure')
  t.strictSame(pairs, { figures: [10, 40], limits: [40, 60] })
})

t.test('the ratio is the median of the ratios of the rounds', async (t) => {
  t.equal(ratioOf({ figures: [1, 60, 9], limits: [2, 100, 10] }), 0.6)
})

t.test('the table marks missed goals, with an explanation where there is one', async (t) => {
  const lines = [
    line({ score: 0.5, notes: ['The database does 0.7 of it.'] }),
    line({ what: 'start', limit: '–', score: 700, unit: 'ms', goal: { atMost: 1000 } }),
  ]
  const printed = printTable(lines)
  t.match(printed, /refresh +60 \/s +pgbench: 100 \/s +0\.50 +≥ 0\.60 +MISSED/)
  t.match(printed, /start +60 \/s +– +– +≤ 1,000 ms +met/)
  t.match(printed, /refresh: The database does 0\.7 of it\./)
  t.match(writeTable(lines), /\| 0\.50 \| ≥ 0\.60 \| \*\*missed\*\* \|/)
})

t.test('the picture has a bar and a goal for each line', async (t) => {
  const svg = drawFigures([line({ what: 'first' }), line({ what: 'second', score: 0.2 })], 'two cores')
  t.equal(svg.match(/≥ 0\.60/g)?.length, 2)
  t.match(svg, /first/)
  t.match(svg, /fill="#66a182".*\n.*fill="#d1495b"/, 'met, and missed')
  t.notMatch(svg, /NaN|undefined/)
})

t.test('a profile lists the functions with the most self time, without idle time', async (t) => {
  const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 9 })
  const nodes = [
    { id: 1, callFrame: frame('(idle)') },
    { id: 2, callFrame: frame('judge', 'file:///srv/dist/features/rotation.js') },
    { id: 3, callFrame: frame('', 'file:///srv/node_modules/fastify/reply.js') },
  ]
  t.strictSame(selfTimes({ nodes, samples: [1, 2, 3, 2], timeDeltas: [900, 30, 25, 45] }), [
    ' 75.0 %  judge features/rotation.js:10',
    ' 25.0 %  (anonymous) fastify/reply.js:10',
  ])
})
