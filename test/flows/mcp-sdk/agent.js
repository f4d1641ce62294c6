// An agent that calls an MCP server, with nothing but the client of @modelcontextprotocol/sdk and what it was given to keep.

import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

/**
 * @param serverUrl the address of the MCP server, the only one that the agent knows
 * @param clientMetadataUrl where the agent describes itself; undefined for one that registers
 * @param openBrowser sends the user to an address, and tells with which one they came back
 */
export function createAgent({ serverUrl, redirectUrl, clientMetadataUrl, openBrowser, fetch }) {
  const kept = {}

  const authProvider = {
    redirectUrl,
    clientMetadataUrl,
    clientMetadata: {
      client_name: 'Agent',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void (kept.tokens = tokens),
    codeVerifier: () => kept.verifier,
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    redirectToAuthorization: (url) => void (kept.authorizationUrl = url.href),
    invalidateCredentials(scope) {
      if (scope === 'all') kept.client = undefined
      kept.tokens = undefined
    },
  }

  const createTransport = () => new StreamableHTTPClientTransport(new URL(serverUrl), { authProvider, fetch })

  async function askOverMcp() {
    const client = new Client({ name: 'agent', version: '1.0.0' })
    await client.connect(createTransport())
    try {
      const { content } = await client.callTool({ name: 'whose_notes' })
      return content[0].text
    } finally {
      await client.close()
    }
  }

  return {
    kept,
    /** What the tool answers; the user is asked to sign in where the agent cannot go on without. */
    async whoseNotes() {
      try {
        return await askOverMcp()
      } catch (error) {
        if (!(error instanceof UnauthorizedError)) throw error
        const callback = new URL(await openBrowser(kept.authorizationUrl))
        await createTransport().finishAuth(callback.searchParams.get('code'))
        return askOverMcp()
      }
    },
  }
}
