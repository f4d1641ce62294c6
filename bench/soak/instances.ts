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
  /** Whether a balancer would still choose it. */
  isUp: boolean
}

export interface Instances {
  /** Any that is up. */
  choose(): Instance
  /** What `kill -9` does to one of them; another process takes its place. */
  kill(index: number): Promise<void>
  /** Has each process collect its garbage, and looks at what is left. */
  sample(): Promise<void>
  /** What was sampled of each process, by its name and what it is. */
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

/** What is left in a process after it; null for one that ends meanwhile. */
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
