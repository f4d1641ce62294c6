/** Delays in milliseconds. */
export interface Series {
  name: string
  values: number[]
}

const width = 720
const height = 360
const left = 56
const right = 40
const top = 24
const bottom = 48
const MAX_MS = 1000
const colours = ['#1b6ca8', '#d1495b', '#66a182', '#edae49']

/** An SVG of the share of revocations that have taken effect by a given time, with a logarithmic time axis. */
export function drawDistribution(series: Series[]): string {
  const x = (ms: number) => left + (Math.log10(Math.min(Math.max(ms, 1), MAX_MS)) / 3) * (width - left - right)
  const y = (share: number) => height - bottom - share * (height - top - bottom)
  const marks = [1, 10, 100, 1000].map(
    (ms) =>
      `<line x1="${x(ms)}" y1="${y(0)}" x2="${x(ms)}" y2="${y(1)}" stroke="#ddd"/>` +
      `<text x="${x(ms)}" y="${height - bottom + 18}" text-anchor="middle">${ms} ms</text>`,
  )
  const levels = [0, 0.5, 1].map(
    (share) =>
      `<line x1="${x(1)}" y1="${y(share)}" x2="${x(MAX_MS)}" y2="${y(share)}" stroke="#ddd"/>` +
      `<text x="${left - 8}" y="${y(share) + 4}" text-anchor="end">${share * 100} %</text>`,
  )
  const lines = series.map(({ name, values }, index) => {
    const sorted = values.toSorted((a, b) => a - b)
    const points = sorted.map((ms, place) => `${x(ms).toFixed(1)},${y((place + 1) / sorted.length).toFixed(1)}`)
    const colour = colours[index % colours.length] ?? '#000'
    // Between the two groups of lines.
    const row = top + 40 + index * 18
    return (
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points.join(' ')}"/>` +
      `<text x="${x(22).toFixed(0)}" y="${row}" fill="${colour}">${name}</text>`
    )
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">`,
    '<title>From the answer of a logout to the first refusal of its access token</title>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...marks,
    ...levels,
    ...lines,
    '</svg>',
    '',
  ].join('\n')
}
