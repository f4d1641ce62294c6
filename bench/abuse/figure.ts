/** A line of what the program prints. */
export interface Figure {
  what: string
  figure: string
  /** What it has to be, and whether it is; null for a figure that explains another. */
  goal: { text: string; isMet: boolean } | null
}

/** For a terminal. */
export function printFigures(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, figure, goal }) => [
    what,
    figure,
    goal === null ? '' : `${goal.text}: ${goal.isMet ? 'met' : 'MISSED'}`,
  ])
  const widths = [0, 1].map((column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
