import { ClientError, type Client } from '@sallyport/client'
import { onClick } from './actions.js'
import { element } from './elements.js'

/** Calls that require an access token: one to Sallyport and, if it is running, one to the resource server. */
export function mountProtectedCalls(client: Client, resourceServerUrl: string | null): void {
  const calls = element('calls', HTMLElement)
  const outcome = element('call-outcome', HTMLElement)
  const answer = element('answer', HTMLElement)

  const requests = [
    ['GET', '/v1/whoami'],
    // The second one asks for two factors, shown within five minutes.
    ...(resourceServerUrl === null
      ? []
      : [
          ['GET', `${resourceServerUrl}/orders`],
          ['POST', `${resourceServerUrl}/transfers`],
        ]),
  ]
  for (const [method = '', url = ''] of requests) {
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = `${method} ${url.replace(/^https?:\/\//, '')}`
    calls.append(button)
    onClick(button, outcome, async () => {
      answer.hidden = true
      const response = await client.fetch(url, { method }).catch((error: unknown) => {
        // The error of `fetch` for a network failure.
        throw error instanceof TypeError ? new ClientError('unreachable', { cause: error }) : error
      })
      const body: unknown = await response.json()
      answer.textContent = JSON.stringify(body, null, 2)
      answer.hidden = false
      return `${response.status} ${response.statusText}`
    })
  }

  client.onChange(({ status }) => {
    if (status !== 'signed_out') return
    answer.hidden = true
    outcome.textContent = null
  })
}
