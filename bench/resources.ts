// CPU time and memory of a process, as Linux reports them.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** The CPU time of all threads of a process since its start, in microseconds. */
export function cpuMicrosOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const nanoseconds = threads.map((id) =>
    Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]),
  )
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1000
}

/** The current resident memory. */
export function residentMib(pid: number): number {
  return statusMib(pid, 'VmRSS')
}

/** The peak of resident memory since it was last reset. */
export function peakMib(pid: number): number {
  return statusMib(pid, 'VmHWM')
}

export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function statusMib(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
}
