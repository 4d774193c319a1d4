import { createHash } from 'node:crypto'
import { readProvisionFile } from '../../server/provisioning/provision-file.ts'
import { type RelayApp, type RelayAppOptions, startRelayApp } from '../support/relay-app.ts'

/** One app with a group a pool, so that tests that share it do not share accounts. */
export interface Pools extends RelayApp {
  /** One request to the pool of this name; resolves when the answer has ended, however it ended. */
  ask(pool: string, request?: Asking): Promise<Answer>
}

export interface Asking {
  /** In place of the usual body; an object is added to it. */
  body?: Buffer | string | Record<string, unknown>
  headers?: Record<string, string>
  signal?: AbortSignal
  path?: string
  /** In place of the pool's own. */
  key?: string
}

export interface Answer {
  status: number
  headers: Headers
  bytes: Buffer
  text: string
  /** The connection broke before the answer's end. */
  broken: boolean
}

type Fields = Record<string, unknown>

export const keyOf = (pool: string): string => `sk-pool-${pool}-0123456789abcdef`
const accountOf = (pool: string, index: number): string => `${pool} ${index + 1}`
export const secretOf = (pool: string, index: number): string => `sk-up-${pool}-${index + 1}-0123456789`

/** `pools`: accounts by the name of the group; `keys`: more fields of the group's key. Failures never make an account rest. */
export async function startPools(
  pools: Record<string, (Fields & { url: string })[]>,
  options: RelayAppOptions & { keyFields?: Record<string, Fields> } = {},
): Promise<Pools> {
  const { keyFields = {}, ...appOptions } = options
  const names = Object.keys(pools)
  const relay = await startRelayApp({
    provision: provisionOf(pools, keyFields),
    statePolicy: { failures: 1e9, windowMs: 60_000, firstCooldownMs: 1, maxCooldownMs: 1, halfOpenMs: 1 },
    ...appOptions,
  })
  return { ...relay, ask: (pool, request) => ask(relay.base, names.includes(pool) ? keyOf(pool) : pool, request) }
}

export function provisionOf(
  pools: Record<string, (Fields & { url: string })[]>,
  keyFields: Record<string, Fields> = {},
) {
  const names = Object.keys(pools)
  return readProvisionFile(
    JSON.stringify({
      groups: names.map((name) => ({ name })),
      accounts: names.flatMap((group) =>
        pools[group]!.map((account, index) => ({
          name: accountOf(group, index),
          secret: secretOf(group, index),
          groups: [group],
          ...account,
        })),
      ),
      keys: names.map((group) => ({ name: group, secret: keyOf(group), group, ...keyFields[group] })),
    }),
  )
}

export const usualBody = {
  model: 'claude-sonnet-4-5-20250929',
  max_tokens: 100,
  stream: true,
  messages: [{ role: 'user', content: 'hello' }],
}

/** POST /v1/messages, streaming unless the body says otherwise. */
export async function ask(base: string, key: string, request: Asking = {}): Promise<Answer> {
  const { body = {}, headers = {}, signal, path = '/v1/messages' } = request
  const response = await fetch(`${base}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${request.key ?? key}`, 'content-type': 'application/json', ...headers },
    body:
      typeof body === 'string'
        ? body
        : Buffer.isBuffer(body)
          ? new Uint8Array(body)
          : JSON.stringify({ ...usualBody, ...body }),
    redirect: 'manual',
    ...(signal && { signal }),
  })
  const chunks: Uint8Array[] = []
  let broken = false
  try {
    for await (const chunk of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk)
  } catch {
    broken = true
  }
  const bytes = Buffer.concat(chunks)
  return { status: response.status, headers: response.headers, bytes, text: bytes.toString(), broken }
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** The answer without what the relay puts in while the upstream is silent. */
export const withoutOurPings = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.toString('latin1').replaceAll(ourPing, '').replaceAll(ourComment, ''), 'latin1')

/** Recognised by the space after the colon, which the vendor's compact JSON has not. */
export const ourPing = 'event: ping\ndata: {"type": "ping"}\n\n'
export const ourComment = ': keepalive\n\n'
