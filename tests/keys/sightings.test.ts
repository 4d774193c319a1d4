import { expect, onTestFinished, test } from 'vitest'
import { openSightings, sightingKeptMs } from '../../server/keys/sightings.ts'
import { openNouns } from '../support/nouns.ts'

async function open() {
  const nouns = await openNouns()
  const { database, write, accounts, keys, client } = nouns
  const groupId = await write((tx) => accounts.ensureGroup(tx, 'g'))
  const keyId = await write((tx) => keys.save(tx, { name: 'k', secret: 'sk-alice-0123456789abcdef', groupId }))
  const clock = { atMs: Date.now() }
  async function start() {
    const sightings = await openSightings({
      database,
      now: () => clock.atMs,
      writeMs: 60_000,
      onError(error) {
        throw error
      },
    })
    onTestFinished(sightings.stop)
    return sightings
  }
  const rows = async (kind: string) =>
    (await client.apiKeySighting.findMany({ where: { kind }, orderBy: { lastAtMs: 'asc' } })).map(({ value }) => value)
  return { keyId, clock, start, rows, client }
}

test('of each kind fifty are kept for a key, the newest, also over a restart', async () => {
  const { keyId, clock, start, rows } = await open()
  const first = await start()
  for (let i = 0; i < 60; i++) {
    clock.atMs++
    first.note(keyId, `192.0.2.${i}`, `program/${i}`)
  }
  await first.written()
  const kept = Array.from({ length: 50 }, (_, i) => `192.0.2.${i + 10}`)
  expect(await rows('address')).toEqual(kept)
  expect((await rows('client')).length).toBe(50)
  const second = await start()
  clock.atMs++
  second.note(keyId, '198.51.100.1', '')
  await second.written()
  expect(await rows('address')).toEqual([...kept.slice(1), '198.51.100.1'])
})

test('what is seen all the time is written every ten minutes, and what was not seen for seven days is forgotten', async () => {
  const { keyId, clock, start, rows, client } = await open()
  const sightings = await start()
  const begunAtMs = clock.atMs
  sightings.note(keyId, '192.0.2.1', 'x'.repeat(500))
  await sightings.written()
  const lastAt = async () =>
    (await client.apiKeySighting.findMany({ where: { kind: 'address' } })).map((row) => Number(row.lastAtMs))
  clock.atMs += 9 * 60_000
  sightings.note(keyId, '192.0.2.1', '')
  await sightings.written()
  expect(await lastAt()).toEqual([begunAtMs])
  clock.atMs += 60_000
  sightings.note(keyId, '192.0.2.1', '')
  await sightings.written()
  expect(await lastAt()).toEqual([begunAtMs + 600_000])
  expect(await rows('client')).toEqual(['x'.repeat(120)])
  clock.atMs += sightingKeptMs
  sightings.note(keyId, '192.0.2.2', '')
  await sightings.written()
  expect(await rows('address')).toEqual(['192.0.2.2'])
})
