import { Client, type Exchange, fetchExchange, subscriptionExchange } from '@urql/core'
import type { Session } from '../session.ts'
import type { Socket } from './socket.ts'

/** The urql client: a cache where one is given, and one renewal when the server refuses a token. */
export function createGraphqlClient(parts: { session: Session; socket: Socket; cache: Exchange | undefined }): Client {
  const { cache } = parts
  return new Client({
    url: '/graphql',
    // A mutation or a key's name in a URL would end up in logs and history.
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    fetch: createSignedFetch(parts.session),
    exchanges: [
      ...(cache === undefined ? [] : [cache]),
      fetchExchange,
      subscriptionExchange({ forwardSubscription: parts.socket.forward }),
    ],
  })
}

/** `fetch` with the session's token; a response UNAUTHENTICATED is requested once more with a renewed one. */
export function createSignedFetch(session: Pick<Session, 'token' | 'renew'>, send: typeof fetch = fetch): typeof fetch {
  return async (input, init) => {
    const first = await send(input, signed(init, await session.token()))
    if (!(await isRefused(first)) || !(await session.renew())) return first
    return send(input, signed(init, await session.token()))
  }
}

function signed(init: RequestInit | undefined, token: string | undefined): RequestInit {
  const headers = new Headers(init?.headers)
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
  return { ...init, headers }
}

async function isRefused(response: Response): Promise<boolean> {
  if (response.status === 401) return true
  if (!response.headers.get('content-type')?.includes('json')) return false
  try {
    const body = (await response.clone().json()) as { errors?: { extensions?: { code?: string } }[] }
    return body.errors?.some((error) => error.extensions?.code === 'UNAUTHENTICATED') ?? false
  } catch {
    return false
  }
}
