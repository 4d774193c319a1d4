import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type App, startApp } from '../app/app.ts'
import type { AppOptions } from '../app/context.ts'
import type { Config } from '../config/config.ts'
import type { Log } from '../log.ts'
import { readProvisionFile } from '../provisioning/provision-file.ts'
import { startDemoUpstream } from './demo-upstream.ts'

const demoUser = 'demo'
const demoKeys = ['sk-demo-alice-0123456789', 'sk-demo-build-0123456789']
const models = ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-haiku-5-5']

/**
 * The same program with a made-up upstream and traffic through the real relay door: nothing to sign up for. The data is
 * in a folder of its own beside the real one.
 */
export async function runDemo(
  config: Config,
  log: Log,
  say: (text: string) => void,
  options: AppOptions = {},
): Promise<{ stop(): Promise<void> }> {
  const upstream = await startDemoUpstream()
  const dataDir = `${config.dataDir}-demo`
  // Another one at each start: what is known to everybody opens nothing.
  const password = randomBytes(9).toString('base64url')
  const app = await startApp(
    {
      ...config,
      dataDir,
      databaseUrl: `file:${dataDir}/relay.db`,
      redisUrl: null,
      upstreamAllow: ['127.0.0.0/8'],
      provisionFile: null,
    },
    log,
    { ...options, provision: readProvisionFile(provisionText(upstream.url, password)) },
  )
  const base = `${app.url}/claude-code`
  say(
    `Demo relay listens on ${app.url}  (data in ${dataDir}, a made-up upstream, no credential needed)\n` +
      `Dashboard:  ${config.publicUrl ?? app.url}/  (sign in as ${demoUser} with the password ${password}; the next start makes another)\n` +
      `Try it:  curl -N ${base}/v1/messages -H 'authorization: Bearer ${demoKeys[0]}' -H 'content-type: application/json' \\\n` +
      `  -d '{"model":"claude-sonnet-5-5","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"Hello"}]}'\n` +
      `Or:      ANTHROPIC_BASE_URL=${base} ANTHROPIC_AUTH_TOKEN=${demoKeys[0]} claude -p "Hello"\n` +
      'Requests of two keys are running; every ten seconds the ledger is summed up here. Ctrl-C stops.\n',
  )
  const traffic = startTraffic(base)
  const summary = setInterval(() => {
    sumUp(app)
      .then(say)
      .catch((error: unknown) => log.error({ err: error }, 'summing up the demo failed'))
  }, 10_000)
  return {
    async stop() {
      clearInterval(summary)
      await traffic.stop()
      await app.settled()
      say(await sumUp(app))
      await app.stop()
      upstream.close()
    },
  }
}

function provisionText(url: string, password: string): string {
  return JSON.stringify({
    admin: { username: demoUser, password },
    groups: [{ name: 'demo' }],
    accounts: [
      { name: 'demo upstream one', url, secret: 'sk-upstream-one', groups: ['demo'], weight: 300 },
      { name: 'demo upstream two', url, secret: 'sk-upstream-two', groups: ['demo'], weight: 100 },
    ],
    keys: [
      { name: 'alice', secret: demoKeys[0], group: 'demo' },
      { name: 'build server', secret: demoKeys[1], group: 'demo', dailyLimitUsd: '5' },
    ],
  })
}

async function sumUp(app: App): Promise<string> {
  const rows = await app.database.select(
    'SELECT `model`, SUM(`requests`), SUM(`failures`), SUM(`output_tokens`), SUM(`cost_nano`) FROM `daily_rollups` GROUP BY `model` ORDER BY `model`',
  )
  const lines = rows.map(
    ([model, requests, failures, output, cost]) =>
      `  ${String(model).padEnd(20)} ${requests} requests, ${failures} failed, ${output} tokens out, $${(Number(cost) / 1e9).toFixed(4)}`,
  )
  return `Ledger so far:\n${lines.join('\n')}\n`
}

/** One request about every second, of both keys, streamed and not. `stop` waits for answers under way. */
function startTraffic(base: string): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const underWay = new Set<Promise<void>>()
  const ask = async (count: number): Promise<void> => {
    const body = JSON.stringify({
      model: models[count % models.length],
      max_tokens: 200,
      stream: count % 4 !== 0,
      messages: [{ role: 'user', content: `Demo request ${count}` }],
    })
    const headers = {
      authorization: `Bearer ${demoKeys[count % demoKeys.length]}`,
      'content-type': 'application/json',
    }
    const response = await fetch(`${base}/v1/messages`, { method: 'POST', headers, body })
    await response.arrayBuffer()
  }
  const running = (async () => {
    for (let count = 0; !stopping.signal.aborted; count++) {
      // A failure is in the ledger; the demo goes on.
      const asked = ask(count)
        .catch(() => {})
        .finally(() => underWay.delete(asked))
      underWay.add(asked)
      await sleep(700 + Math.random() * 600, undefined, { signal: stopping.signal }).catch(() => {})
    }
    await Promise.all(underWay)
  })()
  return {
    stop() {
      stopping.abort()
      return running
    },
  }
}
