import { readFileSync } from 'node:fs'
import { buildSchema, parse, validate } from 'graphql'
import { expect, test, vi } from 'vitest'
import { keyEventsQuery, keyQuery } from '../../client/pages/own-key/key-query.ts'
import { takeKeySecret } from '../../client/pages/own-key/key-secret.ts'
import { powershellStatusLine, settingsOf, shellStatusLine } from '../../client/pages/own-key/status-line.ts'

const schema = buildSchema(
  readFileSync(new URL('../../server/graphql/key-holder/key.graphql', import.meta.url), 'utf8'),
)

test('what the page of a key asks for is in the schema of key holders', () => {
  for (const text of [keyQuery, keyEventsQuery]) expect(validate(schema, parse(text))).toEqual([])
  expect(validate(schema, parse('{ myKey { nothing } }'))).toHaveLength(1)
})

test('the scripts of the status line ask for a field that there is', () => {
  for (const script of [shellStatusLine('https://relay.example'), powershellStatusLine('https://relay.example')]) {
    expect(script).toContain('https://relay.example/graphql/key')
    const { query } = JSON.parse(/'(\{"query".*\})'/.exec(script)![1]!) as { query: string }
    expect(validate(schema, parse(query))).toEqual([])
  }
  expect(JSON.parse(settingsOf('powershell'))).toHaveProperty('statusLine.type', 'command')
})

test.each([
  ['#key=sk-a%2Bb', '', 'sk-a+b'],
  ['', '?api_key=sk-old', 'sk-old'],
  ['', '', undefined],
  ['#other=1', '', undefined],
])('a link with %s%s opens the key, which leaves the address and the history at once', (hash, search, secret) => {
  const replaceState = vi.fn()
  expect(takeKeySecret({ pathname: '/stats/api-key', search, hash }, { replaceState })).toBe(secret)
  if (hash + search === '') expect(replaceState).not.toHaveBeenCalled()
  else expect(replaceState).toHaveBeenCalledWith(null, '', '/stats/api-key')
})

test('other pages keep their address', () => {
  const replaceState = vi.fn()
  expect(takeKeySecret({ pathname: '/keys', search: '', hash: '#key=sk-a' }, { replaceState })).toBeUndefined()
  expect(replaceState).not.toHaveBeenCalled()
})
