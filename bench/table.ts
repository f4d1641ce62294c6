import { isMet, type Goal, type Line } from './row.js'

const HEADINGS = ['what', 'figure', 'measured beside it', 'ratio', 'goal', '']

function cellsOf(line: Line): string[] {
  const { what, figure, limit, score, unit, goal } = line
  return [
    what,
    figure,
    limit,
    unit === '' ? score.toFixed(2) : '–',
    goalText(goal, unit),
    isMet(line) ? 'met' : 'MISSED',
  ]
}

export function goalText(goal: Goal, unit: string): string {
  const [sign, value] = 'atLeast' in goal ? ['≥', goal.atLeast] : ['≤', goal.atMost]
  const text = unit === '' && 'atLeast' in goal ? value.toFixed(2) : value.toLocaleString('en')
  return `${sign} ${text} ${unit}`.trimEnd()
}

/** For a terminal. */
export function printTable(lines: Line[]): string {
  const rows = [HEADINGS, ...lines.map(cellsOf)]
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  const table = rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [...table, ...notesOf(lines)].join('\n')
}

/** For bench/README.md. */
export function writeTable(lines: Line[]): string {
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`
  const bold = (line: Line) => cellsOf(line).map((cell) => (cell === 'MISSED' ? '**missed**' : cell))
  const table = [row(HEADINGS), row(HEADINGS.map(() => '---')), ...lines.map((line) => row(bold(line)))]
  return [table.join('\n'), ...notesOf(lines)].join('\n\n')
}

function notesOf(lines: Line[]): string[] {
  return lines.flatMap(({ what, notes = [] }) => notes.map((note) => `${what}: ${note}`))
}
