/** Metrics as Prometheus reads them. */
export interface Scrape {
  text: string
  /**
   * The value of one series, with labels as Prometheus writes them, such as `result="succeeded"`. Undefined if it does
   * not exist.
   */
  value(name: string, labels?: string): number | undefined
  /** The names of all series. */
  names: ReadonlySet<string>
  /** The labels of each series of that name. */
  labelsOf(name: string): string[]
}

export function parseMetrics(text: string): Scrape {
  const series = text.split('\n').flatMap((line) => {
    const [, name = '', labels = '', value] = /^([a-z][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    return value === undefined ? [] : [{ name, labels, value: Number(value) }]
  })
  return {
    text,
    value: (name, labels = '') => series.find((one) => one.name === name && one.labels === labels)?.value,
    names: new Set(series.map(({ name }) => name)),
    labelsOf: (name) => series.filter((one) => one.name === name).map(({ labels }) => labels),
  }
}
