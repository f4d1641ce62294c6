import type { Cell } from './judging.js'
import type { Column } from './run.js'
import type { Scenario } from './scenario.js'
import type { Window } from './window.js'

export interface Table {
  columns: { name: string; column: Column }[]
  scenarios: Scenario[]
}

interface Row {
  title: string
  cells: { text: string; isBad: boolean }[]
}

const plain = (text: string) => ({ text, isBad: false })

function rowsOf({ columns, scenarios }: Table, kind: Scenario['kind']): Row[] {
  return scenarios
    .filter((scenario) => scenario.kind === kind)
    .map((scenario) => ({
      title: scenario.title,
      cells: columns.map(({ column }) => cellOf(column.cells.get(scenario))),
    }))
}

function cellOf(cell: Cell | undefined): Row['cells'][number] {
  if (cell === undefined) return plain('not measured')
  return { text: cell.text, isBad: cell.loggedOut + cell.neverDetected > 0 }
}

/** The last lines: totals over all scenarios. */
function totalsOf({ columns }: Table): Row[] {
  const row = (title: string, bad: (cell: Cell) => number, all: (cell: Cell) => number): Row => ({
    title,
    cells: columns.map(({ column }) => {
      const sum = (of: (cell: Cell) => number) =>
        [...column.cells.values()].reduce((total, cell) => total + of(cell), 0)
      return { text: `${sum(bad)} of ${sum(all)}`, isBad: sum(bad) > 0 }
    }),
  })
  return [
    row(
      'honest users logged out',
      ({ loggedOut }) => loggedOut,
      ({ honest }) => honest,
    ),
    row(
      'thefts never detected',
      ({ neverDetected }) => neverDetected,
      ({ thefts }) => thefts,
    ),
    row(
      'token thefts in which the thief was served for a token that the victim had used',
      ({ copiesServed }) => copiesServed,
      ({ thefts }) => thefts,
    ),
    {
      title: 'how long a copy of a used token is accepted',
      cells: columns.map(({ column }) => plain(describeWindow(column.window))),
    },
  ]
}

export function describeWindow({ servedSeconds, refusedSeconds }: Window): string {
  if (servedSeconds === null) return 'not at all'
  if (refusedSeconds === null) return `at least ${servedSeconds.toFixed(1)} s`
  const [shorter, longer] = [servedSeconds, refusedSeconds]
    .sort((a, b) => a - b)
    .map((seconds = 0) => seconds.toFixed(1))
  return `${shorter ?? ''} to ${longer ?? ''} s`
}

const sections = (table: Table): [string, Row[]][] => [
  ['An honest user', rowsOf(table, 'honest')],
  ['A thief with a copy of the token', rowsOf(table, 'theft')],
  ['Total', totalsOf(table)],
]

/** For a terminal. */
export function printTable(table: Table): string {
  const names = table.columns.map(({ name }) => name)
  const all = sections(table).flatMap(([, rows]) => rows)
  const widths = [
    Math.max(...all.map(({ title }) => title.length)),
    ...names.map((name, index) => Math.max(name.length, ...all.map(({ cells }) => cells[index]?.text.length ?? 0))),
  ]
  const line = (texts: string[]) =>
    texts
      .map((text, index) => text.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  return sections(table)
    .flatMap(([heading, rows]) => [
      line([heading, ...names]),
      ...rows.map(({ title, cells }) => line([title, ...cells.map(({ text }) => text)])),
      '',
    ])
    .join('\n')
}

/** For docs/torture.md. */
export function writeTable(table: Table): string {
  const names = table.columns.map(({ name }) => `\`${name}\``)
  const line = (texts: string[]) => `| ${texts.join(' | ')} |`
  const rule = line(['', ...names].map(() => '---'))
  return sections(table)
    .map(([heading, rows]) =>
      [
        line([heading, ...names]),
        rule,
        ...rows.map(({ title, cells }) =>
          line([title, ...cells.map(({ text, isBad }) => (isBad ? `**${text}**` : text))]),
        ),
      ].join('\n'),
    )
    .join('\n\n')
}
