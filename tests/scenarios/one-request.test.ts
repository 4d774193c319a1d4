import { expect, test } from 'vitest'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'

test('a streamed request is answered as the upstream answered, and has its row with exact tokens and cost', async () => {
  const upstream = await createFakeUpstream()
  const relay = await startRelayApp({ accounts: [{ url: upstream.url }] })
  try {
    const response = await fetch(`${relay.base}/v1/messages?beta=true`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'claude-opus-5-5',
        max_tokens: 100,
        stream: true,
        messages: [{ role: 'user', content: 'hello' }],
      }),
    })
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('event: message_stop')
    expect(upstream.requests[0]?.path).toBe('/v1/messages?beta=true')
    const [row] = await relay.rows()
    const { input, output, cacheRead, cacheWrite5m } = upstream.totals.tokens
    expect(row).toMatchObject({
      outcome: 'completed',
      http_status: 200,
      usage_source: 'final',
      input_tokens: input,
      output_tokens: output,
      cache_read_tokens: cacheRead,
      cache_write_5m_tokens: cacheWrite5m,
      price_card_id: expect.stringContaining('claude-opus-5-5'),
    })
    expect(row?.cost_nano).toBe(input * 4000 + output * 20000 + cacheRead * 200 + cacheWrite5m * 5000)
    expect(row?.requestId).toBe(response.headers.get('x-request-id'))
  } finally {
    await relay.stop()
    await upstream.close()
  }
})
