import { setTimeout as pause } from 'node:timers/promises'
import { sallyportProgram, startProgram, type Server } from '../servers.js'
import { chooseUp, type Instance } from '../soak/instances.js'

export interface Fleet {
  /** Any instance that a load balancer would select. */
  choose(): Instance
  /** Adds an instance of the version that is built in this folder; null for this one. */
  add(name: string, folder: string | null): Promise<void>
  /** Takes an instance out of the load balancer, and stops it as an orchestrator does. */
  remove(name: string): Promise<void>
  stop(): Promise<void>
}

/** The time in which a load balancer notices that an instance accepts no more requests. */
const DRAIN_MS = 500

/** Instances of Sallyport on one database, of more than one version. */
export function createFleet(settings: Record<string, string>, onLine: (line: string) => void): Fleet {
  const members: (Instance & { server: Server })[] = []
  return {
    choose: () => chooseUp(members),

    async add(name, folder) {
      const program = { ...sallyportProgram(settings), ...(folder !== null && { folder }), onLine }
      const server = await startProgram(program)
      members.push({ name, url: server.url, isUp: true, server })
    },

    async remove(name) {
      const member = members.find((each) => each.name === name)
      if (member === undefined) throw new Error(`There is no instance ${name}.`)
      member.isUp = false
      await pause(DRAIN_MS)
      await member.server.stop()
    },

    stop: async () => void (await Promise.all(members.map(({ server }) => server.stop()))),
  }
}
