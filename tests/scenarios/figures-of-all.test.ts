import { expect, onTestFinished, test } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { answerDefault } from '../support/fake-message.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp, testKey } from '../support/relay-app.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { ask } from './pools.ts'

const password = 'correct horse battery'
const query = `{ jobs { name nextAt } accounts { nodes { inFlight } } apiKeys { nodes { inFlight } } groups { nodes { inFlight } } }`

test.runIf(engines === 'services')(
  'with Redis every process shows the running requests of all, and when the jobs of the one that runs them are due',
  async () => {
    const upstream = await createFakeUpstream()
    onTestFinished(() => upstream.close())
    const answering = deferred()
    upstream.scriptWhen(
      () => true,
      async (exchange) => {
        await answering.promise
        await answerDefault(exchange, 1)
      },
    )
    const { url, drop } = await newDatabaseAddress()
    onTestFinished(drop)
    const env = {
      DATABASE_URL: url,
      REDIS_URL: redisUrl,
      MASTER_SECRET: 'one master secret for both processes',
      DEFAULT_ADMIN_PASSWORD: password,
    }
    const relays: RelayApp[] = []
    for (let number = 0; number < 2; number++) {
      const relay = await startRelayApp({
        accounts: [{ url: upstream.url }],
        env,
        jobs: { probeMs: 200 },
        timers: { firstByteStreamMs: 60_000, firstByteJsonMs: 60_000 },
      })
      onTestFinished(() => relay.stop())
      relays.push(relay)
    }
    const token = await signedIn(relays[0]!.app.url, 'admin', password)
    const figures = async (number: number) => {
      const { data, errors } = await askGraphql(relays[number]!.app.url, query, {}, token)
      expect(errors).toBeUndefined()
      const jobs = data.jobs as { name: string; nextAt: string | null }[]
      const [account, key, group] = [data.accounts, data.apiKeys, data.groups].map(({ nodes }) => nodes[0].inFlight)
      // The probe rings five times a second: whatever is read is old already.
      return { nextAt: jobs.filter(({ name }) => name !== 'probe'), inFlight: { account, key, group } }
    }
    const running = [ask(relays[0]!.base, testKey), ask(relays[1]!.base, testKey), ask(relays[1]!.base, testKey)]
    for (const number of [0, 1])
      await expect.poll(async () => (await figures(number)).inFlight).toEqual({ account: 3, key: 3, group: 3 })
    answering.resolve()
    await Promise.all(running)
    for (const number of [0, 1])
      await expect.poll(async () => (await figures(number)).inFlight).toEqual({ account: 0, key: 0, group: 0 })
    // Each process has clocks of its own, at other moments.
    await expect
      .poll(async () => {
        const [first, second] = await Promise.all([figures(0), figures(1)])
        const isKnown = first.nextAt.every(({ nextAt }) => nextAt !== null)
        return isKnown && JSON.stringify(first.nextAt) === JSON.stringify(second.nextAt)
      })
      .toBe(true)
  },
)
