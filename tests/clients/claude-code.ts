import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createFakeUpstream, type FakeUpstream, type Recorded } from '../support/fake-upstream.ts'
import { type RelayApp, type RelayAppOptions, startRelayApp, testKey } from '../support/relay-app.ts'
import { type Ran, runClient } from './run.ts'

/**
 * The versions that people run, newest first, with the model each asks for unless told: the native binary, the last JavaScript
 * bundle, and two that know neither session header nor JSON user ids (real-clients.md §1.1).
 */
export const versions = ['2.1.330', '2.1.112', '2.0.76', '1.0.100'] as const
export type Version = (typeof versions)[number]
export const newest: Version = versions[0]

export interface RunOptions {
  version?: Version
  key?: string
  base?: string
  /** Arguments behind `-p prompt`. */
  args?: string[]
  env?: Record<string, string>
  /** A HOME that stays, for a session that goes on in another process. */
  home?: string
  /** The client is killed when this resolves. */
  until?: Promise<unknown>
}

export interface Desk {
  relay: RelayApp
  /** One for each entry of `upstreams`, in order of priority. */
  upstreams: FakeUpstream[]
  upstream: FakeUpstream
  /** The empty folder that clients start in. */
  folder: string
  /** Runs `claude -p prompt` in a HOME of its own; never throws for what the client did. */
  claude(prompt: string, options?: RunOptions): Promise<Ran>
}

export interface DeskOptions extends RelayAppOptions {
  upstreams?: number
  /** Fields of every account, over those that lead to the fakes; a function gives them by the account's place. */
  account?: Record<string, unknown> | ((index: number) => Record<string, unknown>)
}

export const packages = fileURLToPath(new URL('node_modules', import.meta.url))

/** A starting CLI takes both cores of a small machine: deadlines of tenths of a second would measure that. */
const calmTimers = { firstByteStreamMs: 15_000, firstByteJsonMs: 15_000, idleMs: 15_000, blockedMs: 15_000 }

/** A relay over fake upstreams and a way to run real clients against it; all gone when `use` ends. */
export async function withDesk(options: DeskOptions, use: (desk: Desk) => Promise<void>): Promise<void> {
  const { upstreams: count = 1, account = {}, ...appOptions } = options
  const upstreams = await Promise.all(Array.from({ length: count }, () => createFakeUpstream()))
  const fieldsOf = typeof account === 'function' ? account : () => account
  const accounts = upstreams.map(({ url }, index) => ({ url, priority: index + 1, ...fieldsOf(index) }))
  const relay = await startRelayApp({ accounts, ...appOptions, timers: { ...calmTimers, ...appOptions.timers } })
  const folder = await mkdtemp(join(tmpdir(), 'relay-client-'))
  try {
    await use({
      relay,
      upstreams,
      upstream: upstreams[0]!,
      folder,
      claude: (prompt, run) => runClaude(prompt, folder, { base: relay.base, key: testKey, ...run }),
    })
  } finally {
    await relay.stop()
    for (const upstream of upstreams) await upstream.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function runClaude(prompt: string, folder: string, options: RunOptions): Promise<Ran> {
  const { version = newest, base = '', key = '', args = [], env = {} } = options
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'relay-home-')))
  return runClient({
    args: [entryOf(version), '-p', prompt, ...args],
    folder,
    home,
    homeGoes: options.home === undefined,
    env: {
      ANTHROPIC_BASE_URL: base,
      ANTHROPIC_AUTH_TOKEN: key,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      ...env,
    },
    until: options.until,
  })
}

/** What Node starts: the bundle, or the wrapper that finds the platform's binary (its postinstall was not run). */
function entryOf(version: Version): string {
  const folder = join(packages, `claude-code-${version}`)
  const entry = ['cli.js', 'cli-wrapper.cjs'].map((name) => join(folder, name)).find((path) => existsSync(path))
  if (!entry) throw new Error(`Claude Code ${version} is not installed: npm run test:clients installs it`)
  return entry
}

/** Puts a file where the client may read it without asking; returns its path. */
export async function putFile(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

/** A request that came through the relay, as far as tests ask. */
export function messageOf({ body }: Recorded): { model: string; stream?: boolean; messages: { content: unknown }[] } {
  return JSON.parse(body.toString())
}

/** True for the request that answers a prompt: older versions also ask for topics and warm up, without or with fewer tools. */
export const isMain = (request: Recorded, prompt: string): boolean =>
  request.path.startsWith('/v1/messages?') && request.body.includes(prompt) && request.body.length > 20_000
