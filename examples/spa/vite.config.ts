import { defineConfig, type Plugin, type UserConfig } from 'vite'

export interface PageOptions {
  /** Where browsers reach Sallyport. */
  sallyportUrl: string
  /** Where they reach the example resource server; null where it does not run. */
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
      // The page and the client's package, and nothing else of the checkout, in which secrets may lie.
      fs: { allow: ['.', '../../packages/client/dist'] },
    },
    build: {
      target: 'es2023',
      // Every browser of that target knows it, and it would be an inline script.
      modulePreload: { polyfill: false },
    },
  }
}

/**
 * A content security policy: scripts and styles are the page's own, it talks to these services alone, no form leaves
 * it, and no text becomes markup.
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
        // Vite's own connection, over which it tells of changed files.
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
