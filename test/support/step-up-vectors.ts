// Reads test/vectors/step-up.json.

import { readFileSync } from 'node:fs'
import type { Acr } from '../../src/wire/acr.js'

interface StepUpVector {
  name: string
  claims: { auth_time: number; acr?: unknown; amr?: string[] }
  require: { acr?: Acr; max_age?: number }
  meets: boolean
}

const file = new URL('../vectors/step-up.json', import.meta.url)
const { now, vectors } = JSON.parse(readFileSync(file, 'utf8')) as { now: number; vectors: StepUpVector[] }

export const stepUpNow = new Date(now * 1000)
export const stepUpVectors = vectors
