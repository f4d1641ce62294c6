import type { Client, SessionEntry } from '@sallyport/client'
import { onClick, reportFailure, tell } from './actions.js'
import { element, showText, within } from './elements.js'
import { describeEnd } from './messages.js'

const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** The sessions of the user: each with its device, whether it is the current one, and a button to end it. */
export function mountDevices(client: Client): void {
  const list = element('devices', HTMLElement)
  const ended = element('ended', HTMLDetailsElement)
  const endedList = element('ended-devices', HTMLElement)
  const outcome = element('devices-outcome', HTMLElement)
  const endOthers = element('end-others', HTMLButtonElement)
  let shown = ''
  let asked = 0

  async function load(): Promise<void> {
    const number = (asked += 1)
    const [sessions, over] = await Promise.all([client.sessions(), ended.open ? client.sessions({ ended: true }) : []])
    // Of two responses, the one that was requested last counts.
    if (number !== asked) return
    list.replaceChildren(...sessions.map(renderSession))
    endedList.replaceChildren(...over.map(renderSession))
    endOthers.hidden = sessions.length < 2
  }

  function reload(): void {
    reportFailure(client, outcome, load())
  }

  function renderSession(session: SessionEntry): DocumentFragment {
    const row = document.importNode(element('device', HTMLTemplateElement).content, true)
    const name = session.device_name ?? 'A device without a name'
    within(row, '[data-part=name]', HTMLElement).textContent = name
    showText(within(row, '[data-part=badge]', HTMLElement), session.current ? 'this device' : null)
    within(row, '[data-part=facts]', HTMLElement).textContent = describeFacts(session)
    const end = within(row, '[data-part=end]', HTMLButtonElement)
    end.hidden = session.current || session.ended_at !== undefined
    end.setAttribute('aria-label', `End ${name}`)
    onClick(end, outcome, async () => {
      await client.endSession(session.id)
      await load()
      return `${name} is logged out.`
    })
    return row
  }

  onClick(endOthers, outcome, async () => {
    await client.endOtherSessions()
    await load()
    return 'All other devices are logged out.'
  })
  onClick(element('logout-all', HTMLButtonElement), outcome, async () => {
    await client.logoutAll()
    return null
  })
  onClick(element('reload-devices', HTMLButtonElement), outcome, async () => {
    await load()
    return null
  })
  ended.addEventListener('toggle', () => {
    if (ended.open) reload()
  })
  // Another session may have been opened while the page was hidden.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && client.state.status === 'signed_in') reload()
  })

  client.onChange((state) => {
    if (state.status !== 'signed_in') {
      ended.open = false
      list.replaceChildren()
      tell(outcome, 'done', null)
      shown = ''
      return
    }
    // Also after each refresh, because the list shows when a session was last used.
    const known = `${state.session?.id ?? ''} ${state.accessTokenExpiresAt?.toISOString() ?? ''}`
    if (known !== shown) reload()
    shown = known
  })
}

function describeFacts({ created_at, last_used_at, ended_at, reason, ip }: SessionEntry): string {
  if (ended_at !== undefined)
    return `${describeTime(ended_at)}: ${reason === undefined ? 'ended' : describeEnd(reason)}`
  const facts = [`Since ${describeTime(created_at)}`, `last used ${describeTime(last_used_at)}`, ip ?? '']
  return facts.filter((fact) => fact !== '').join(' · ')
}

function describeTime(text: string): string {
  const time = new Date(text)
  const isToday = time.toDateString() === new Date().toDateString()
  return (isToday ? timeOfDay : moment).format(time)
}
