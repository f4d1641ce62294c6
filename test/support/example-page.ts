// The built example page, served from its own origin, with a Sallyport that accepts it.

import type { Page } from 'playwright-core'
import { build, mergeConfig, preview } from 'vite'
import { configurePage } from '../../examples/spa/vite.config.js'
import { PASSWORD } from './api.js'
import { findFreePort } from './free-port.js'
import { createFolder, startProcess, type ServerProcess } from './process.js'

interface Test {
  teardown(work: () => void | Promise<void>): void
}

export interface ExamplePage {
  /** The URL of the page. */
  url: string
  /** The Sallyport process. */
  sallyport: ServerProcess
  sallyportUrl: string
}

export interface ExampleOptions {
  /** Settings of Sallyport, as in the environment. */
  settings?: Record<string, string>
  /** Free ports by default. */
  ports?: { page: number; sallyport: number }
  /** The URL of the example resource server; none by default. */
  resourceServerUrl?: string
}

export async function startExamplePage(
  t: Test,
  { settings, ports, resourceServerUrl }: ExampleOptions = {},
): Promise<ExamplePage> {
  const { page, sallyport } = ports ?? { page: await findFreePort(), sallyport: await findFreePort() }
  const url = `http://localhost:${page}`
  const sallyportUrl = `http://localhost:${sallyport}`
  await serveBuiltPage(t, { port: page, sallyportUrl, resourceServerUrl: resourceServerUrl ?? null })
  const process = await startProcess(t, {
    PORT: String(sallyport),
    PUBLIC_URL: sallyportUrl,
    CORS_ORIGINS: url,
    RETURN_TO: url,
    ...settings,
  })
  return { url, sallyport: process, sallyportUrl }
}

async function serveBuiltPage(
  t: Test,
  { port, ...services }: { port: number; sallyportUrl: string; resourceServerUrl: string | null },
): Promise<void> {
  const config = mergeConfig(configurePage(services), {
    configFile: false,
    logLevel: 'warn',
    build: { outDir: createFolder(t), emptyOutDir: true },
    preview: { port, strictPort: true },
  })
  await build(config)
  const server = await preview(config)
  t.teardown(() => server.close())
}

/** The user agent of a phone. */
export const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1'

export interface Person {
  email: string
  name: string
}

/** Fills in the registration form, and waits until the user is signed in. */
export async function register(page: Page, { email, name }: Person): Promise<void> {
  await page.getByRole('button', { name: 'Register' }).click()
  await submit(page, { 'E-mail address': email, Name: name, Password: PASSWORD })
  await page.getByRole('heading', { name: `Welcome, ${name}` }).waitFor()
}

/** The same for an existing account. */
export async function logIn(page: Page, { email, name }: Person): Promise<void> {
  await submit(page, { 'E-mail address': email, Password: PASSWORD })
  await page.getByRole('heading', { name: `Welcome, ${name}` }).waitFor()
}

/** Fills in the visible form, by the labels of its fields, and submits it. */
export async function submit(page: Page, fields: Record<string, string>): Promise<void> {
  const form = page.getByRole('form')
  for (const [label, value] of Object.entries(fields)) await form.getByLabel(label).fill(value)
  await form.locator('[type=submit]').click()
}
