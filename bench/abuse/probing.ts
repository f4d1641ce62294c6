import { spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { percentile } from '../figures.js'

const program = fileURLToPath(new URL('probe.ts', import.meta.url))
const START_MS = 1500

export interface Waits {
  p99: number
  longest: number
  count: number
}

/** How long new connections to /livez wait while work goes on. */
export async function probeDuring(url: string, work: () => Promise<void>): Promise<Waits> {
  const prober = spawn(process.execPath, ['--import', 'tsx', program, url], { stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  prober.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = new Promise((resolve) => prober.once('close', resolve))
  await pause(START_MS)
  try {
    await work()
  } finally {
    prober.stdin.end()
    await ended
  }
  const waits = z.array(z.number()).parse(JSON.parse(said))
  return { p99: percentile(waits, 99), longest: Math.max(...waits), count: waits.length }
}
