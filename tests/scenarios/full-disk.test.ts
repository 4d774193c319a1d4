import { writeSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'
import { smallBody } from './ingress-socket.ts'

test('fault 56: with a full disk /ready says no and why, until there is space again', async () => {
  const upstream = await createFakeUpstream()
  let isFull = false
  const relay = await startRelayApp({
    accounts: [{ url: upstream.url }],
    writeJournal(file, bytes, offset) {
      if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      return writeSync(file, bytes, offset)
    },
  })
  onTestFinished(async () => {
    isFull = false
    await relay.stop()
    await upstream.close()
  })
  const ask = async () => {
    const headers = { authorization: `Bearer ${testKey}` }
    return (await fetch(`${relay.base}/v1/messages`, { method: 'POST', headers, body: smallBody() })).status
  }
  const ready = async () => {
    const answer = await fetch(`${relay.app.url}/ready`)
    return [answer.status, await answer.text()]
  }
  expect(await ask()).toBe(200)
  expect(await ready()).toEqual([200, 'ready\n'])
  isFull = true
  expect(await ask()).toBe(503)
  const why = `the journal in ${relay.dataDir}/journal cannot be written: the disk is full\n`
  // A load balancer sends nothing any more, so /ready itself finds out.
  for (let i = 0; i < 3; i++) expect(await ready()).toEqual([503, why])
  expect((await fetch(`${relay.app.url}/health`)).status).toBe(200)
  isFull = false
  expect(await ready()).toEqual([200, 'ready\n'])
  expect(await ask()).toBe(200)
  expect((await relay.rows()).map(({ http_status: status }) => status)).toEqual([200, 200])
})
