import { setTimeout as pause } from 'node:timers/promises'
import { residentMib } from '../resources.js'
import { sallyportProgram, startProgram, type Server } from '../servers.js'
import type { Outages } from './faults.js'
import type { Sample } from './memory.js'

export interface Instance {
  name: string
  url: string
  /** Whether a balancer would still choose it. */
  isUp: boolean
}

export interface Instances {
  /** Any that is up. */
  choose(): Instance
  /** What `kill -9` does to one of them; another process takes its place. */
  kill(index: number): Promise<void>
  /** Looks at the memory of each. */
  sample(): void
  /** What was sampled of each process, by name. */
  samples(): ReadonlyMap<string, Sample[]>
  stop(): Promise<void>
}

interface Slot extends Instance {
  server: Server
  starts: number
}

const DOWN_MS = 3000

export interface InstancesOptions {
  count: number
  settings: Record<string, string>
  outages: Outages
  onLine(line: string): void
}

/** Several processes of Sallyport on one database. */
export async function startInstances({ count, settings, outages, onLine }: InstancesOptions): Promise<Instances> {
  const samples = new Map<string, Sample[]>()
  const startServer = () => startProgram({ ...sallyportProgram(settings), onLine })
  const slots: Slot[] = []
  for (let index = 0; index < count; index += 1) {
    const server = await startServer()
    slots.push({ name: `instance ${index + 1}`, url: server.url, isUp: true, server, starts: 1 })
  }

  return {
    choose() {
      const up = slots.filter(({ isUp }) => isUp)
      const chosen = up[Math.floor(Math.random() * up.length)]
      if (chosen === undefined) throw new Error('No instance is up.')
      return chosen
    },
    async kill(index) {
      const slot = slots[index % slots.length]
      if (slot === undefined) return
      await outages.during(slot.name, async () => {
        slot.isUp = false
        await slot.server.kill()
        await pause(DOWN_MS)
        slot.server = await startServer()
        Object.assign(slot, { url: slot.server.url, isUp: true, starts: slot.starts + 1 })
      })
    },
    sample() {
      for (const { name, starts, server, isUp } of slots) {
        if (!isUp || server.process.pid === undefined) continue
        const process = `${name}, process ${starts}`
        const taken = samples.get(process) ?? []
        taken.push({ atMs: performance.now(), mib: residentMib(server.process.pid) })
        samples.set(process, taken)
      }
    },
    samples: () => samples,
    stop: async () => void (await Promise.all(slots.map(({ server }) => server.stop()))),
  }
}
