import { isMet, type Line } from './row.js'
import { goalText } from './table.js'

const WIDTH = 860
const ROW = 40
const TOP = 40
const TEXT = 330
const BAR = 360
const RIGHT = TEXT + BAR

/** An SVG with a bar for each line and a mark at its goal. Each bar has its own scale. */
export function drawFigures(lines: Line[], measuredOn: string): string {
  const height = TOP + lines.length * ROW + 36
  const bars = lines.map((line, index) => {
    const { what, score, unit, goal } = line
    const value = 'atLeast' in goal ? goal.atLeast : goal.atMost
    // The bar of a ratio ends at the upper bound; any other is as long as needed.
    const full = Math.max(score, value * 1.25, 'atLeast' in goal ? 1 : 0)
    const x = (amount: number) => (TEXT + (amount / full) * BAR).toFixed(1)
    const y = TOP + index * ROW
    const length = ((score / full) * BAR).toFixed(1)
    const shown = unit === '' ? score.toFixed(2) : `${Math.round(score).toLocaleString('en')} ${unit}`
    return [
      `<text x="${TEXT - 12}" y="${y + 19}" text-anchor="end">${what}</text>`,
      `<rect x="${TEXT}" y="${y + 4}" width="${BAR}" height="22" fill="#f1f1f1"/>`,
      `<rect x="${TEXT}" y="${y + 4}" width="${length}" height="22" fill="${isMet(line) ? '#66a182' : '#d1495b'}"/>`,
      `<line x1="${x(value)}" y1="${y}" x2="${x(value)}" y2="${y + 30}" stroke="#222" stroke-width="2"/>`,
      `<text x="${RIGHT + 10}" y="${y + 19}">${shown} <tspan fill="#777">(${goalText(goal, unit)})</tspan></text>`,
    ].join('')
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">`,
    '<title>The figures of Sallyport beside their goals</title>',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${TEXT}" y="22" fill="#777">the bar: measured; the mark: the goal, to be passed or not to be passed</text>`,
    ...bars,
    `<text x="${WIDTH - 12}" y="${height - 12}" text-anchor="end" fill="#777">${measuredOn}</text>`,
    '</svg>',
    '',
  ].join('\n')
}
