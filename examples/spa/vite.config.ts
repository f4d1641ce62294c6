import { defineConfig, type Plugin, type UserConfig } from 'vite'

export interface PageOptions {
  /** The URL of Sallyport for browsers. */
  sallyportUrl: string
  /** The URL of the example resource server for browsers; null if it is not running. */
  resourceServerUrl: string | null
}

/** How Vite serves and builds the page. */
export function configurePage({ sallyportUrl, resourceServerUrl }: PageOptions): UserConfig {
  return {
    root: import.meta.dirname,
    define: {
      'import.meta.env.SALLYPORT_URL': JSON.stringify(sallyportUrl),
      'import.meta.env.RESOURCE_SERVER_URL': JSON.stringify(resourceServerUrl),
    },
    plugins: [restrictContent([sallyportUrl, ...(resourceServerUrl === null ? [] : [resourceServerUrl])])],
    server: {
      // The page and the client's package, and no other files of the checkout, which may contain secrets.
      fs: { allow: ['.', '../../packages/client/dist'] },
    },
    build: {
      target: 'es2023',
      // All browsers of that target support it, and it would be an inline script.
      modulePreload: { polyfill: false },
    },
  }
}

/**
 * A content security policy: only the page's own scripts and styles, connections to these services only, no form
 * submissions, and no markup from text.
 */
function restrictContent(services: string[]): Plugin {
  return {
    name: 'restrict-content',
    transformIndexHtml(_html, { server: development }) {
      const policy = {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'"],
        // Vite's own connection for changed files.
        'connect-src': development ? ["'self'", ...services] : services,
        'base-uri': ["'none'"],
        'form-action': ["'none'"],
        'require-trusted-types-for': ["'script'"],
      }
      const content = Object.entries(policy).map(([name, sources]) => `${name} ${sources.join(' ')}`)
      const attrs = { 'http-equiv': 'Content-Security-Policy', content: content.join('; ') }
      return [{ tag: 'meta', attrs, injectTo: 'head-prepend' }]
    },
  }
}

const { SALLYPORT_URL = 'http://localhost:3000', RESOURCE_SERVER_URL = null } = process.env

export default defineConfig(configurePage({ sallyportUrl: SALLYPORT_URL, resourceServerUrl: RESOURCE_SERVER_URL }))
