import type { Client, ClientState } from '@sallyport/client'
import { onClick } from './actions.js'
import { element } from './elements.js'

/** How far an open gate is raised, in units of the picture: its spikes stay visible. */
const LIFT = 148

/** How long the animation of a refresh takes, as in the style sheet. */
const CHANGE_MS = 1800

const MAX_LOGGED = 6

interface Life {
  fromMs: number
  untilMs: number
}

/** The lifetime of the access token as a countdown and as a gate that comes down, and a log of the refreshes. */
export function mountTokenClock(client: Client): void {
  const gatehouse = element('gatehouse', HTMLElement)
  const outerGate = element('outer-gate', SVGGElement)
  const clock = element('clock', HTMLElement)
  const time = element('clock-time', HTMLElement)
  const log = element('log', HTMLOListElement)
  let life: Life | null = null
  let lifeInPicture: Life | null = null
  let before: ClientState['status'] = client.state.status

  function show(): void {
    time.textContent = life === null ? '–:––' : formatLeft(leftOf(life))
    const part = lifeInPicture === null ? 0 : leftOf(lifeInPicture) / (lifeInPicture.untilMs - lifeInPicture.fromMs)
    outerGate.setAttribute('transform', `translate(0 ${-Math.round(LIFT * Math.min(1, part))})`)
  }

  function begin(expiresAt: Date): void {
    const begun = { fromMs: Date.now(), untilMs: expiresAt.getTime() }
    life = begun
    write(before === 'signed_out' ? 'Logged in' : 'Refreshed')
    gatehouse.classList.add('changing')
    // Halfway through, the outer gate is closed.
    setTimeout(() => (lifeInPicture = life && begun), CHANGE_MS / 2)
    setTimeout(() => gatehouse.classList.remove('changing'), CHANGE_MS)
  }

  function write(what: string): void {
    const entry = document.createElement('li')
    const at = document.createElement('time')
    at.textContent = new Date().toLocaleTimeString()
    entry.append(at, ` ${what}`)
    log.prepend(entry)
    while (log.children.length > MAX_LOGGED) log.lastElementChild?.remove()
  }

  client.onChange((state) => {
    const expiresAt = state.status === 'signed_in' ? state.accessTokenExpiresAt : null
    clock.hidden = state.status !== 'signed_in'
    if (expiresAt === null) {
      life = lifeInPicture = null
      log.replaceChildren()
    } else if (expiresAt.getTime() !== life?.untilMs) begin(expiresAt)
    before = state.status
    show()
  })

  onClick(element('refresh', HTMLButtonElement), element('refresh-problem', HTMLElement), async () => {
    await client.refresh()
    return null
  })
  setInterval(show, 250)
}

function leftOf({ untilMs }: Life): number {
  return Math.max(0, untilMs - Date.now())
}

function formatLeft(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
