import type { FastifyRequest } from 'fastify'

/**
 * The token of a link, from its query; empty where it has none. Some mail gateways write `#` as `%23`, which makes the
 * fragment a part of the path.
 */
export function linkTokenOf({ url }: Pick<FastifyRequest, 'url'>): string {
  const query = /(?:\?|%23|&)(?:%23)?token=([^&#]*)/i.exec(url)?.[1] ?? ''
  return /^[\w-]{1,200}$/.test(query) ? query : ''
}

/** The name of the page that a link opens, without such a fragment. */
export function linkPageOf(parameter: string): string {
  const [name = ''] = parameter.split('#', 1)
  return name
}
