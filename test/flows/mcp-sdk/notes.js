// An MCP server with one tool, without sessions of its own, as the documentation of @modelcontextprotocol/sdk has it.

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'

/** Answers a request that was let through: `request.claims` tells whose it is. */
export async function answerMcp(request, response) {
  // Without sessions there is nothing to tell unasked.
  if (request.method !== 'POST') return response.writeHead(405).end()
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool('whose_notes', { description: 'Tells whose notes these are.' }, () => ({
    content: [{ type: 'text', text: request.claims.sub }],
  }))
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined })
  response.on('close', () => server.close())
  await server.connect(transport)
  return transport.handleRequest(request, response)
}
