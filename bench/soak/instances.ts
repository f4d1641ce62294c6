import type { ChildProcess } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { sallyportProgram, startProgram, type Server } from '../servers.js'
import type { Outages } from './faults.js'
import type { Sample } from './memory.js'

const MIB = 1024 * 1024

export interface Instance {
  name: string
  url: string
  /** Whether a load balancer would select it. */
  isUp: boolean
}

export interface Instances {
  /** Any running instance. */
  choose(): Instance
  /** Kills one of them with SIGKILL; another process replaces it. */
  kill(index: number): Promise<void>
  /** Has each process collect its garbage, and samples the memory that is left. */
  sample(): Promise<void>
  /** The samples of each process, by its name and the kind of memory. */
  samples(): ReadonlyMap<string, Sample[]>
  stop(): Promise<void>
}

interface Slot extends Instance {
  server: Server
  starts: number
}

const DOWN_MS = 3000

const collector = new URL('collector.js', import.meta.url).href
const leftSchema = z.object({ heapBytes: z.number(), residentBytes: z.number() })

export interface InstancesOptions {
  count: number
  settings: Record<string, string>
  outages: Outages
  onLine(line: string): void
}

/** Several processes of Sallyport on one database. */
export async function startInstances({ count, settings, outages, onLine }: InstancesOptions): Promise<Instances> {
  const samples = new Map<string, Sample[]>()
  const { args, ...program } = sallyportProgram(settings)
  const collecting = ['--expose-gc', '--import', collector]
  const startServer = () => startProgram({ ...program, args: [...collecting, ...args], onLine, hearsParent: true })
  const slots: Slot[] = []
  for (let index = 0; index < count; index += 1) {
    const server = await startServer()
    slots.push({ name: `instance ${index + 1}`, url: server.url, isUp: true, server, starts: 1 })
  }

  function take(what: string, bytes: number) {
    const taken = samples.get(what) ?? []
    taken.push({ atMs: performance.now(), mib: bytes / MIB })
    samples.set(what, taken)
  }

  return {
    choose: () => chooseUp(slots),
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
    async sample() {
      for (const { name, starts, server, isUp } of slots) {
        const left = isUp ? await collectGarbage(server.process) : null
        if (left === null) continue
        take(`${name}, process ${starts}, heap`, left.heapBytes)
        take(`${name}, process ${starts}, resident`, left.residentBytes)
      }
    },
    samples: () => samples,
    stop: async () => void (await Promise.all(slots.map(({ server }) => server.stop()))),
  }
}

/** Any of these that is up, as a load balancer selects one. */
export function chooseUp<T extends Instance>(instances: readonly T[]): T {
  const up = instances.filter(({ isUp }) => isUp)
  const chosen = up[Math.floor(Math.random() * up.length)]
  if (chosen === undefined) throw new Error('No instance is up.')
  return chosen
}

/** The memory that is left after the collection; null for a process that exits meanwhile. */
function collectGarbage(process: ChildProcess): Promise<z.infer<typeof leftSchema> | null> {
  return new Promise((resolve) => {
    const answer = (message: unknown) => {
      process.off('exit', giveUp)
      resolve(leftSchema.parse(message))
    }
    const giveUp = () => {
      process.off('message', answer)
      resolve(null)
    }
    process.once('message', answer).once('exit', giveUp)
    process.send('collect', (error) => {
      if (error) giveUp()
    })
  })
}
