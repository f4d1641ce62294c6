/**
 * Figures about the process, for Prometheus. Whoever counts something is handed a function that counts it, and knows
 * nothing of names and labels. A label's values are listed beforehand: none ever holds what a client sent.
 */
import type { Registry } from 'prom-client'

export interface Metrics {
  /** Whether anybody reads them; where nobody does, what is counted goes nowhere. */
  readonly enabled: boolean
  /** Counts one thing by one label. Every value is there from the start, at 0, so that its first increase shows. */
  counter<const Value extends string>(described: Described, label: Label<Value>): (value: Value) => void
  /** Measures durations, in seconds as is the custom, given in milliseconds. */
  durations(described: Described, bucketsMs: readonly number[]): (ms: number) => void
  /** The same by several labels, whose values are the caller's to bound. */
  durationsBy<const Name extends string>(
    described: Described,
    labels: readonly Name[],
    bucketsMs: readonly number[],
  ): (values: Record<Name, string>, ms: number) => void
  /** Something that goes up and down, read when somebody asks. */
  gauge(described: Described, read: () => number): void
  /** All of them, as text and what kind of text. */
  read(): Promise<{ contentType: string; text: string }>
}

interface Described {
  /** Without the prefix that all share. */
  name: string
  help: string
}

interface Label<Value extends string> {
  name: string
  values: readonly Value[]
}

const PREFIX = 'sallyport_'

const nothing = (): void => undefined

/** For a process that nobody reads metrics of. */
export const noMetrics: Metrics = {
  enabled: false,
  counter: () => nothing,
  durations: () => nothing,
  durationsBy: () => nothing,
  gauge: nothing,
  read: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
}

/** What of the metrics is read. */
export type Readable = Pick<Metrics, 'read'>

/** Metrics of all workers of this process, added up, as they tell them over the channel between them. */
export async function gatherMetrics(): Promise<Readable> {
  const { AggregatorRegistry } = await import('prom-client')
  const registry = new AggregatorRegistry()
  return { read: async () => ({ contentType: registry.contentType, text: await registry.clusterMetrics() }) }
}

/** Metrics that are kept, beside those of the process itself and of Node. The library is loaded only here. */
export async function createMetrics({ isWorker = false } = {}): Promise<Metrics> {
  const { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  if (isWorker) {
    // Whoever makes one listens for the question of the process that gathers them.
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
      return (value) => children.get(value)?.inc()
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
