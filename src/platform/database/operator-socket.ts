// The protocol between processes that share a data directory, over a Unix domain socket: who holds the directory, and
// operator commands for the holder. Only the user who runs the processes can connect.

import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { relative } from 'node:path'
import { z } from 'zod'

/** Runs an operator command and returns the lines to print. An error it throws is shown to the operator. */
export type CommandHandler = (name: string, args: string[]) => Promise<string[]>

const stateSchema = z.object({ id: z.string(), state: z.enum(['starting', 'holding']) })
export type HolderState = z.infer<typeof stateSchema>

const commandSchema = z.object({ name: z.string(), args: z.array(z.string()) })
const replySchema = z.union([
  z.object({ lines: z.array(z.string()) }),
  z.object({ error: z.string(), name: z.string() }),
])
type Reply = z.infer<typeof replySchema>

/** The kernel's limit for the path of a socket: 107 bytes on Linux, 103 on macOS. A directory may move between them. */
const maxPathBytes = 103
const maxBodyCharacters = 64 * 1024
const commandTimeoutMs = 60_000
const stillStarting = 'The server is still starting. Try again in a moment.'

export interface SocketAnswers {
  state(): HolderState
  /** Null until the process accepts commands. */
  command(): CommandHandler | null
}

export function createSocketServer(answers: SocketAnswers): Server {
  return createServer((message, response) => {
    answer(message, answers).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => send(response, 500, refusal(error)),
    )
  })
}

async function answer(message: IncomingMessage, answers: SocketAnswers): Promise<{ status: number; body: unknown }> {
  if (message.method === 'GET' && message.url === '/state') return { status: 200, body: answers.state() }
  if (message.method !== 'POST' || message.url !== '/commands') return { status: 404, body: refusal('not found') }

  const run = answers.command()
  if (run === null) return { status: 503, body: refusal(stillStarting) }
  const { name, args } = commandSchema.parse(JSON.parse(await readBody(message)))
  return { status: 200, body: { lines: await run(name, args) } }
}

/** The state of the process that listens at a path; null if there is none. */
export async function askState(path: string, timeoutMs: number): Promise<HolderState | null> {
  try {
    return stateSchema.parse(await exchange(path, 'GET', '/state', null, timeoutMs))
  } catch (error) {
    if (isDead(error)) return null
    throw error
  }
}

/** Sends a command to the process that listens at a path. Throws its error if the command failed. */
export async function askCommand(path: string, name: string, args: string[]): Promise<string[]> {
  const reply: Reply = replySchema.parse(await exchange(path, 'POST', '/commands', { name, args }, commandTimeoutMs))
  if ('error' in reply) throw Object.assign(new Error(reply.error), { name: reply.name })
  return reply.lines
}

function exchange(path: string, method: string, url: string, body: unknown, timeoutMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const exchanged = request({ socketPath: shortPath(path), method, path: url, agent: false }, (response) => {
      readBody(response).then((text) => resolve(JSON.parse(text)), reject)
    })
    exchanged.setTimeout(timeoutMs, () =>
      exchanged.destroy(new Error(`${path} did not respond within ${timeoutMs} ms.`)),
    )
    exchanged.on('error', reject)
    exchanged.end(body === null ? undefined : JSON.stringify(body))
  })
}

/** Nothing listens there: the kernel has closed the socket with its process. */
function isDead(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNREFUSED' || error.code === 'ENOENT')
}

async function readBody(message: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of message.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > maxBodyCharacters) throw new Error(`The message is longer than ${maxBodyCharacters} characters.`)
  }
  return text
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', connection: 'close' })
  response.end(JSON.stringify(body))
}

/** The shorter of a socket's absolute and relative path. Throws if both exceed the limit, and says by how many bytes. */
export function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path)
  const shortest = Buffer.byteLength(fromHere) < Buffer.byteLength(path) ? fromHere : path
  const excess = Buffer.byteLength(shortest) - maxPathBytes
  if (excess > 0) {
    throw new Error(
      `DATA_DIR is ${excess} bytes too long: the sockets in it, such as ${path}, may be ${maxPathBytes} bytes long. ` +
        'Use a shorter path, or start in a directory closer to it.',
    )
  }
  return shortest
}

function refusal(error: unknown): Reply {
  const { message, name } = error instanceof Error ? error : new Error(String(error))
  return { error: message, name }
}
