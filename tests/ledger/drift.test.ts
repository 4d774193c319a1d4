import { expect, test } from 'vitest'
import { ledgerDrift } from '../../server/ledger/drift.ts'
import { createZoneDays } from '../../server/zone-days.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'

test('ledger and rollups agree after requests; a sum that is changed behind their back is found, in either rollup', async () => {
  const upstream = await createFakeUpstream()
  const relay = await startRelayApp({ accounts: [{ url: upstream.url }] })
  try {
    const { database } = relay.app
    expect(await ledgerDrift(database)).toBe(0)
    for (let n = 0; n < 3; n++) {
      const answer = await fetch(`${relay.base}/v1/messages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          model: 'claude-opus-5-5',
          max_tokens: 9,
          messages: [{ role: 'user', content: 'hello' }],
        }),
      })
      expect(answer.status).toBe(200)
      await answer.text()
    }
    await relay.app.settled()
    expect(await ledgerDrift(database)).toBe(0)
    // Since a day: what is older is left out on both sides.
    const dayAt = createZoneDays('UTC')
    const today = dayAt(Date.now())
    const tomorrow = dayAt(today.endMs)
    expect(await ledgerDrift(database, today)).toBe(0)
    await database.client.hourlyRollup.updateMany({ data: { costNano: { increment: 1n } } })
    expect([await ledgerDrift(database, today), await ledgerDrift(database, tomorrow)]).toEqual([1, 0])
    await database.client.hourlyRollup.updateMany({ data: { costNano: { decrement: 1n } } })
    await database.client.dailyRollup.updateMany({ data: { inputTokens: { increment: 1n } } })
    expect([await ledgerDrift(database, today), await ledgerDrift(database, tomorrow)]).toEqual([1, 0])
    await database.client.dailyRollup.updateMany({ data: { inputTokens: { decrement: 1n } } })
    await database.client.hourlyRollup.updateMany({ data: { costNano: { increment: 1n } } })
    expect(await ledgerDrift(database)).toBe(1)
    await database.client.dailyRollup.updateMany({ data: { requests: { decrement: 1n } } })
    expect(await ledgerDrift(database)).toBe(2)
    await database.client.log.deleteMany()
    expect(await ledgerDrift(database)).toBe(2)
    await database.client.hourlyRollup.deleteMany()
    await database.client.dailyRollup.deleteMany()
    expect(await ledgerDrift(database)).toBe(0)
  } finally {
    await relay.stop()
    await upstream.close()
  }
})
