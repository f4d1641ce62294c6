// A tour through the pages of sign-ins at other providers, as the tour through all others shows each state to a visitor. The
// browser goes to a provider of the test, which is another site than Sallyport, and comes back.

import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { PASSWORD } from './api.js'
import { arriveAt } from './chromium.js'
import { follow, send, type Tour } from './page-tour.js'
import { startUpstream, type Upstream, type UpstreamOptions } from './upstream-provider.js'

interface Run {
  teardown(work: () => void | Promise<void>): void
}

/** Two providers: one that decides who has its addresses, and one whose addresses prove nothing. */
export interface TourProviders {
  google: Upstream
  github: Upstream
  /** The settings of a Sallyport with them. */
  settings: Record<string, string>
}

/** The page of a provider on which its people sign in. */
const UPSTREAM_PAGE = /^http:\/\/127\.0\.0\.1:\d+\/interaction\//

export async function startTourProviders(
  run: Run,
  options: Pick<UpstreamOptions, 'clock'> = {},
): Promise<TourProviders> {
  const t = { teardown: (work: () => Promise<void>) => run.teardown(work) }
  const google = await startUpstream(t, { id: 'google', ...options })
  const github = await startUpstream(t, { id: 'github', ...options })
  const providers = [google.entry({ name: 'Google', authoritative: true }), github.entry({ name: 'GitHub' })]
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-tour-'))
  run.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'providers.json')
  writeFileSync(file, JSON.stringify({ providers }))
  return { google, github, settings: { PROVIDERS: file, UPSTREAM_SECRET: google.clientSecret } }
}

/** Signs in, or says no, on the page of a provider, to which the browser has been sent. */
export async function answerUpstream(page: Page, answer: { login: string } | { refuses: true }): Promise<void> {
  await arriveAt(page, UPSTREAM_PAGE)
  if ('login' in answer) await page.locator('[name="login"]').fill(answer.login)
  await page.locator(`[name="decision"][value="${'login' in answer ? 'yes' : 'no'}"]`).click()
}

/** The browser forgets who is signed in at the providers, so that they ask again. */
export async function forgetUpstream(page: Page): Promise<void> {
  await page.context().clearCookies({ domain: '127.0.0.1' })
}

export const buttonOf = (id: string) => `main a[href*="/v1/auth/social/${id}?"]`
const SIGN_OUT = 'form[action$="/account/sign-out"] .button'

/** Goes through the states that providers bring about, on a Sallyport with `tourSettings` and the settings of the providers. */
export async function tourSocial(tour: Tour & { providers: TourProviders }): Promise<void> {
  const { google } = tour.providers
  const login = `ada.${randomUUID().slice(0, 8)}`
  // Other tours leave a user signed in.
  await tour.page.context().clearCookies()
  google.people.set(login, { name: 'Ada Lovelace', email: `${login}@example.com`, email_verified: true })
  await refuseOnTour(tour, login)
  await linkOnTour(tour, login)
  await requireLinkOnTour(tour)
}

async function refuseOnTour({ page, url, visit, providers }: Parameters<typeof tourSocial>[0], login: string) {
  const { google, github } = providers
  await page.goto(`${url}/signin`)
  await follow(page, buttonOf('google'))
  await answerUpstream(page, { refuses: true })
  await arriveAt(page, /\/signin\?/)
  await visit('signin-denied')
  await page.goto(`${url}/v1/auth/social/google/callback?state=none&code=none`)
  await visit('social-over')
  google.switches.issParameter = { wrong: 'https://elsewhere.example' }
  await page.goto(`${url}/signin`)
  await follow(page, buttonOf('google'))
  await answerUpstream(page, { login })
  await arriveAt(page, /\/callback\?/)
  await visit('social-response')
  google.switches.issParameter = 'right'
  github.people.set(login, { name: 'Ada Lovelace' })
  await page.goto(`${url}/register`)
  await follow(page, buttonOf('github'))
  await answerUpstream(page, { login })
  await arriveAt(page, /\/callback\?/)
  await visit('social-email')
  github.people.set(login, { name: 'Ada Lovelace', email: `${login}@elsewhere.example`, email_verified: true })
  github.switches.trouble.token = 'error'
  await follow(page, buttonOf('github'))
  await arriveAt(page, /\/callback\?/)
  await visit('social-unavailable')
  delete github.switches.trouble.token
}

async function linkOnTour({ page, url, visit, providers }: Parameters<typeof tourSocial>[0], login: string) {
  await forgetUpstream(page)
  await page.goto(`${url}/signin`)
  await follow(page, buttonOf('google'))
  await answerUpstream(page, { login })
  await arriveAt(page, `${url}/account`)
  await visit('account-social')
  await page.goto(`${url}/account/confirm?return_to=/account/delete`)
  await visit('confirm-social')
  await page.goto(`${url}/account`)
  await follow(page, '#identities a[href*="/link/github"]')
  await visit('identity-link')
  // Without an answer, the browser stays on the page that leads to the provider.
  await page.route(`${url}/v1/auth/social/**`, (route) => route.fulfill({ status: 204 }))
  await follow(page, 'main form .button')
  await visit('identity-leave')
  await page.unroute(`${url}/v1/auth/social/**`)
  await follow(page, 'main a.button')
  await answerUpstream(page, { refuses: true })
  await arriveAt(page, /\/account\?social=link_denied/)
  await visit('account-link-denied')
  await linkGitHub({ page, url }, login)
  await arriveAt(page, `${url}/account?done=identity_linked`)
  await visit('account-linked')
  await follow(page, '#identities .devices li:nth-child(2) a')
  await visit('identity-unlink')
  await page.goto(`${url}/account`)
  await follow(page, SIGN_OUT)

  await forgetUpstream(page)
  const other = `grace.${randomUUID().slice(0, 8)}`
  providers.google.people.set(other, { name: 'Grace', email: `${other}@example.com`, email_verified: true })
  await page.goto(`${url}/signin`)
  await follow(page, buttonOf('google'))
  await answerUpstream(page, { login: other })
  await arriveAt(page, `${url}/account`)
  await linkGitHub({ page, url }, login)
  await arriveAt(page, /\/callback\?/)
  await visit('social-taken')
  await page.goto(`${url}/account`)
  await follow(page, SIGN_OUT)
}

async function linkGitHub({ page, url }: Pick<Tour, 'page' | 'url'>, login: string): Promise<void> {
  await page.goto(`${url}/account/identities/link/github`)
  await follow(page, 'main form .button')
  await answerUpstream(page, { login })
}

async function requireLinkOnTour({ page, url, visit, receive, providers }: Parameters<typeof tourSocial>[0]) {
  const login = `mary.${randomUUID().slice(0, 8)}`
  const email = `${login}@example.com`
  await page.goto(`${url}/register`)
  await send(page, { email, name: 'Mary Shelley', password: PASSWORD })
  await arriveAt(page, `${url}/verify`)
  await send(page, { code: (await receive(email)).code ?? '' })
  await arriveAt(page, `${url}/account?done=verified`)
  await follow(page, SIGN_OUT)
  await forgetUpstream(page)
  providers.github.people.set(login, { name: 'Mary Shelley', email, email_verified: true })
  await page.goto(`${url}/signin`)
  await follow(page, buttonOf('github'))
  await answerUpstream(page, { login })
  await arriveAt(page, /\/signin\?/)
  await visit('signin-link-required')
  await send(page, {})
  await send(page, { password: PASSWORD })
  await arriveAt(page, `${url}/account/identities/link/github`)
}
