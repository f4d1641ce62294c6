// A tour through all pages that people see, as one person takes it: each state is shown to a visitor, such as a test that
// checks it or a script that takes its picture.

import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import { PASSWORD } from './api.js'

export interface Tour {
  page: Page
  /** The URL of Sallyport, without a slash at its end. */
  url: string
  /** Is called in each state, with its name. */
  visit: (state: string) => Promise<void>
  /** The person, who is new by default. */
  person?: { email: string; name: string }
}

const NEW_PASSWORD = 'violet otters juggle paper lanterns'

/** Fills in fields by their names, and sends their form. */
export async function send(page: Page, fields: Record<string, string>, button = 'main form .button'): Promise<void> {
  for (const [name, value] of Object.entries(fields)) await page.locator(`main [name="${name}"]`).fill(value)
  await Promise.all([page.waitForEvent('domcontentloaded'), page.locator(button).first().click()])
}

const follow = (page: Page, selector: string) => send(page, {}, selector)

/** Goes through all pages that need no mail. */
export async function tourPages(tour: Tour): Promise<void> {
  const { person = { email: `${randomUUID()}@example.com`, name: 'Ada Lovelace' } } = tour
  await registerOnTour(tour, person)
  await changeOnTour(tour, person)
  await leaveOnTour(tour, person)
}

type Person = NonNullable<Tour['person']>

async function registerOnTour({ page, url, visit }: Tour, { email, name }: Person): Promise<void> {
  await page.goto(`${url}/`)
  await visit('home')
  await page.goto(`${url}/signin?return_to=https://elsewhere.example/`)
  await visit('problem')
  await page.goto(`${url}/register`)
  await visit('register')
  await send(page, { email: 'ada', name, password: 'short' })
  await visit('register-errors')
  await send(page, { email, name, password: PASSWORD })
}

async function changeOnTour({ page, url, visit }: Tour, { email, name }: Person): Promise<void> {
  await page.waitForURL(`${url}/account`)
  await visit('account')
  await send(page, { name: `${name} King` }, 'form[action$="/account/name"] .button')
  await visit('account-saved')
  await page.goto(`${url}/account/password`)
  await visit('password')
  await send(page, { current_password: 'a wrong one', new_password: NEW_PASSWORD })
  await visit('password-errors')
  await send(page, { current_password: PASSWORD, new_password: NEW_PASSWORD })
  await visit('password-changed')
  await page.goto(`${url}/signin`)
  await visit('signed-in-already')
  await page.goto(`${url}/account`)
  await follow(page, 'form[action$="/account/sign-out"] .button')
  await visit('signed-out')
  await page.goto(`${url}/signin`)
  await visit('signin')
  await send(page, { email: 'ada' })
  await visit('signin-errors')
  await send(page, { email })
  await visit('signin-password')
  await send(page, { password: PASSWORD })
  await visit('signin-password-errors')
  await send(page, { password: NEW_PASSWORD })
}

async function leaveOnTour({ page, url, visit }: Tour, _person: Person): Promise<void> {
  await page.waitForURL(`${url}/account`)
  await visit('account-ended-sessions')
  await page.goto(`${url}/account/delete`)
  await visit('delete')
  await send(page, { current_password: NEW_PASSWORD })
  await visit('deleted')
}
