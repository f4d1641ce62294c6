/**
 * Metrics for Prometheus. Features get functions that count, without names and labels. The values of a label are declared
 * in advance, so that none contains client input.
 */
import type { Registry } from 'prom-client'

export interface Metrics {
  /** Whether metrics are exposed; otherwise counts are discarded. */
  readonly enabled: boolean
  /** Creates a counter with one label. All values start at 0, so that the first increase is visible. */
  counter<const Value extends string>(described: Described, label: Label<Value>): (value: Value, count?: number) => void
  /** Creates a histogram of durations: given in milliseconds, exposed in seconds. */
  durations(described: Described, bucketsMs: readonly number[]): (ms: number) => void
  /** The same with several labels; the caller must bound their values. */
  durationsBy<const Name extends string>(
    described: Described,
    labels: readonly Name[],
    bucketsMs: readonly number[],
  ): (values: Record<Name, string>, ms: number) => void
  /** Creates a gauge, read at each scrape. */
  gauge(described: Described, read: () => number): void
  /** All metrics in text format, with the content type. */
  read(): Promise<{ contentType: string; text: string }>
}

interface Described {
  /** Without the common prefix. */
  name: string
  help: string
}

interface Label<Value extends string> {
  name: string
  values: readonly Value[]
}

const PREFIX = 'sallyport_'

const nothing = (): void => undefined

/** Metrics of a process that does not expose any. */
export const noMetrics: Metrics = {
  enabled: false,
  counter: () => nothing,
  durations: () => nothing,
  durationsBy: () => nothing,
  gauge: nothing,
  read: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
}

/** Metrics that can be exported. */
export type Readable = Pick<Metrics, 'read'>

/** The aggregated metrics of all workers, collected over their IPC channels. */
export async function gatherMetrics(): Promise<Readable> {
  const { AggregatorRegistry } = await import('prom-client')
  const registry = new AggregatorRegistry()
  return { read: async () => ({ contentType: registry.contentType, text: await registry.clusterMetrics() }) }
}

/** Metrics that are recorded, together with those of the process and of Node. The library is loaded only here. */
export async function createMetrics({ isWorker = false } = {}): Promise<Metrics> {
  const { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  if (isWorker) {
    // The constructor makes the worker respond to requests of the primary process.
    new AggregatorRegistry()
    AggregatorRegistry.setRegistries(registry)
  }
  const named = ({ name, help }: Described) => ({ name: PREFIX + name, help, registers: [registry] })
  const inSeconds = (bucketsMs: readonly number[]) => bucketsMs.map((ms) => ms / 1000)

  return {
    enabled: true,

    counter(described, label) {
      const counter = new Counter({ ...named(described), labelNames: [label.name] })
      const children = new Map(label.values.map((value) => [value, counter.labels(value)]))
      for (const child of children.values()) child.inc(0)
      return (value, count = 1) => children.get(value)?.inc(count)
    },

    durations(described, bucketsMs) {
      const histogram = new Histogram({ ...named(described), buckets: inSeconds(bucketsMs) })
      return (ms) => histogram.observe(ms / 1000)
    },

    durationsBy(described, labels, bucketsMs) {
      const histogram = new Histogram({ ...named(described), labelNames: labels, buckets: inSeconds(bucketsMs) })
      return (values, ms) => histogram.observe(values, ms / 1000)
    },

    gauge(described, read) {
      new Gauge({
        ...named(described),
        collect() {
          this.set(read())
        },
      })
    },

    read: () => readRegistry(registry),
  }
}

async function readRegistry(registry: Registry): Promise<{ contentType: string; text: string }> {
  return { contentType: registry.contentType, text: await registry.metrics() }
}
