import { expect, test } from 'vitest'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'

test("a group's charge factor halves what is billed, keeps the cost beside it, and a limit counts what is billed", async () => {
  const upstream = await createFakeUpstream()
  const body = { model: 'claude-opus-5-5', max_tokens: 100, messages: [{ role: 'user', content: 'hello' }] }
  const ask = (base: string) =>
    fetch(`${base}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const first = await startRelayApp({
    accounts: [{ url: upstream.url }],
    groups: [{ name: 'g', chargeFactor: '0.5' }],
    keepData: true,
  })
  try {
    expect((await ask(first.base)).status).toBe(200)
    const [row] = await first.rows()
    const costNano = Number(row?.['cost_nano'])
    expect(costNano).toBeGreaterThan(0)
    expect(row).toMatchObject({ billed_nano: Math.round(costNano / 2), group_charge_bp: 5_000, user_charge_bp: 10_000 })
    await first.stop()

    // Three quarters of what one request costs: by cost it is used up, by what is billed it is not.
    const usd = (costNano * 0.75) / 1e9
    const second = await startRelayApp({
      accounts: [{ url: upstream.url }],
      groups: [{ name: 'g' }],
      keys: [{ name: 'test', secret: testKey, group: 'g', totalLimitUsd: usd.toFixed(9) }],
      dataDir: first.dataDir,
    })
    try {
      expect((await ask(second.base)).status).toBe(200)
      await second.rows()
      expect((await ask(second.base)).status).toBe(429)
    } finally {
      await second.stop()
    }
  } finally {
    await upstream.close()
  }
})
