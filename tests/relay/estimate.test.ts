import { expect, test } from 'vitest'
import { noTokens } from '../../server/money/reading.ts'
import { createEstimates, type UseSample } from '../../server/relay/settlement/estimate.ts'
import { attachmentsIn } from '../../server/relay/settlement/images.ts'

const request = (more: object = {}) => ({
  keyId: 1,
  model: 'm',
  sessionId: '',
  body: Buffer.from('a'.repeat(4000)),
  maxTokens: 64_000,
  ...more,
})
const sample = (output: number, more: Partial<UseSample> = {}): UseSample => ({
  requestBytes: 4000,
  input: 1000,
  cacheRead: 0,
  cacheWrite: 0,
  output,
  ...more,
})
const estimatesWith = (recent: readonly UseSample[] = []) => createEstimates({ recent: async () => recent })

test('without history: four bytes a token of Latin text, three of other alphabets, and 8000 tokens of output or max_tokens', async () => {
  const estimates = estimatesWith()
  expect(await estimates.estimate(request())).toEqual({ ...noTokens, input: 1000, output: 8000 })
  expect((await estimates.estimate(request({ maxTokens: 300 }))).output).toBe(300)
  expect((await estimates.estimate(request({ body: Buffer.from('字'.repeat(1000)) }))).input).toBe(1000)
})

test('output is the 90th percentile of at least twenty requests, never below 1000, never above max_tokens', async () => {
  const outputs = Array.from({ length: 20 }, (_, index) => sample((index + 1) * 100))
  expect((await estimatesWith(outputs).estimate(request())).output).toBe(1800)
  expect((await estimatesWith(outputs).estimate(request({ maxTokens: 1500 }))).output).toBe(1500)
  expect((await estimatesWith(outputs.slice(1)).estimate(request())).output).toBe(8000)
  expect((await estimatesWith(Array.from({ length: 20 }, () => sample(5))).estimate(request())).output).toBe(1000)
})

test('a session teaches its ratio of tokens to bytes and its share of cache reads, else the key and model do', async () => {
  const estimates = estimatesWith([sample(1, { input: 500, cacheRead: 1500 })])
  expect(await estimates.estimate(request())).toMatchObject({ input: 500, cacheRead: 1500 })
  const session = request({ sessionId: 's' })
  await estimates.learn(session, { ...noTokens, input: 100, cacheRead: 800, cacheWrite5m: 100, output: 7 })
  expect(await estimates.estimate(request({ sessionId: 's', body: Buffer.from('a'.repeat(8000)) }))).toMatchObject({
    input: 200,
    cacheRead: 1600,
    cacheWrite5m: 200,
  })
})

test('a ledger that cannot be read is no history, and no error', async () => {
  const estimates = createEstimates({ recent: () => Promise.reject(new Error('away')) })
  expect((await estimates.estimate(request())).output).toBe(8000)
})

const bodyWith = (data: Buffer, type = 'image/png') =>
  Buffer.from(
    JSON.stringify({
      messages: [{ content: [{ source: { type: 'base64', media_type: type, data: data.toString('base64') } }] }],
    }),
  )
function png(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(20_000)
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]).copy(bytes)
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  return bytes
}
function jpeg(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(20_000)
  Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]).copy(bytes)
  Buffer.from([0xff, 0xc0, 0, 17, 8]).copy(bytes, 20)
  bytes.writeUInt16BE(height, 25)
  bytes.writeUInt16BE(width, 27)
  return bytes
}

test('images count by their pixels, at most 1600 tokens each, and not by their bytes', async () => {
  expect(attachmentsIn(bodyWith(png(300, 250))).tokens).toBe(100)
  expect(attachmentsIn(bodyWith(png(4000, 3000))).tokens).toBe(1600)
  expect(attachmentsIn(bodyWith(jpeg(750, 100))).tokens).toBe(100)
  const body = bodyWith(png(300, 250))
  const { input } = await estimatesWith().estimate(request({ body }))
  expect(input).toBeLessThan(150)
  expect(body.length).toBeGreaterThan(20_000)
  expect(attachmentsIn(Buffer.from('{"data":"short","x":"data","data": 5, "data'))).toEqual({ bytes: 0, tokens: 0 })
})
