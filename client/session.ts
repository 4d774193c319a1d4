import { computed, type Ref, shallowRef } from 'vue'
import type { Grant } from './graphql/session-operations.ts'

export interface SessionParts {
  /** Asks the server for a new access token by the HttpOnly cookie; undefined when there is no session, throws when offline. */
  refresh: () => Promise<Grant | undefined>
  /** One refresh at a time over all tabs: the cookie rotates, and two at once would look like a stolen one. */
  exclusive: <T>(work: () => Promise<T>) => Promise<T>
  /** Messages to and from the other tabs. */
  channel: { post: (message: string) => void; onMessage: (listener: (message: unknown) => void) => void }
  now: () => number
}

export interface Session {
  user: Readonly<Ref<Grant['user'] | undefined>>
  isAdmin: Readonly<Ref<boolean>>
  /** Settles once the first refresh has ended. */
  start: () => Promise<void>
  /** The access token, renewed shortly before its end; undefined when signed out. */
  token: () => Promise<string | undefined>
  /** Gets another token although the present one looks fresh: the server refused it. False: signed out. */
  renew: () => Promise<boolean>
  accept: (grant: Grant) => void
  /** Forgets the session here and in all other tabs. */
  leave: () => void
}

/** A token with less than this left is renewed before it is used. */
const marginMs = 30_000

/** Who is signed in. The access token is held here and nowhere else: no storage, no URL, no log. */
export function createSession(parts: SessionParts): Session {
  const grant = shallowRef<Grant>()
  /** By this machine's clock, counted from the response: that clock may be far from the server's. */
  let endsAtMs = 0
  let underWay: Promise<boolean> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  function accept(next: Grant): void {
    grant.value = next
    clearTimeout(timer)
    const livesMs = next.expiresInSeconds * 1000
    endsAtMs = parts.now() + livesMs
    const inMs = Math.max(livesMs - marginMs, 1000)
    timer = setTimeout(() => void renew().catch(() => {}), Math.min(inMs, 2 ** 31 - 1))
  }

  function forget(): void {
    clearTimeout(timer)
    grant.value = undefined
  }

  function renew(): Promise<boolean> {
    underWay ??= parts
      .exclusive(parts.refresh)
      .then((next) => {
        if (next === undefined) forget()
        else accept(next)
        return next !== undefined
      })
      .finally(() => {
        underWay = undefined
      })
    return underWay
  }

  async function token(): Promise<string | undefined> {
    if (underWay !== undefined) await underWay
    const current = grant.value
    if (current === undefined) return undefined
    if (endsAtMs - parts.now() <= marginMs) await renew()
    return grant.value?.accessToken
  }

  parts.channel.onMessage((message) => {
    if (message === 'signed-out') forget()
  })

  return {
    user: computed(() => grant.value?.user),
    isAdmin: computed(() => grant.value?.user.role === 'ADMIN'),
    // Offline at the start is not "signed out" for good, but there is nothing to show until the server answers.
    start: () => renew().then(() => {}, forget),
    token,
    renew,
    accept,
    leave: () => {
      forget()
      parts.channel.post('signed-out')
    },
  }
}
