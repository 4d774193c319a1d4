import { describe, expect, test } from 'vitest'
import en from '../../client/locales/en/causes.ts'
import { chooseLanguage } from '../../client/locales/language.ts'
import zhCN from '../../client/locales/zh-CN/causes.ts'
import { claudeCodeSettings } from '../../client/pages/keys/claude-code-settings.ts'
import { expiresAt } from '../../client/pages/keys/key-form.ts'
import { takeSetupToken } from '../../client/pages/setup/setup-token.ts'
import { nextPath } from '../../client/paths.ts'
import { shownState, stateName } from '../../client/values/account/account-state.ts'
import { failureText } from '../../client/values/account/failure-text.ts'
import { rateText } from '../../client/values/account/rate.ts'
import { runText } from '../../client/values/account/run-text.ts'
import { modelsText, parseMapping, parseModels } from '../../client/values/models-text.ts'
import { exactUsd, parseUsd, shareOf, shortUsd, typedUsd } from '../../client/values/money/money.ts'
import { shortCount } from '../../client/values/money/tokens.ts'
import { plainInterval, shortDuration, timeLeft, timeSpent } from '../../client/values/time/duration.ts'
import { relativeTime } from '../../client/values/time/when.ts'
import { runCodes, said } from '../../server/jobs/run-words.ts'
import { failureCauses } from '../../server/upstreams/transport/failure-cause.ts'

describe('money', () => {
  test.each([
    ['0', '$0.00'],
    ['1926000', '$0.001926'],
    ['38412900', '$0.0384'],
    ['12483190250', '$12.48'],
    ['1234567890000000', '$1,234,567.89'],
    ['999999999', '$1.0000'],
    ['400', '<$0.000001'],
    ['-1926000', '-$0.001926'],
  ])('%s nano-dollars read %s', (nano, text) => expect(shortUsd(nano)).toBe(text))

  test('no digit is lost in the exact form, also beyond 2^53', () => {
    expect(exactUsd('9007199254740993000000001')).toBe('$9,007,199,254,740,993.000000001')
    expect(exactUsd('1926000')).toBe('$0.001926')
    expect(exactUsd('5000000000')).toBe('$5.00')
  })

  test('what a person types becomes whole nano-dollars, and comes back as typed', () => {
    expect(parseUsd('0.1')).toBe('100000000')
    expect(parseUsd('$ 5')).toBe('5000000000')
    expect(typedUsd(parseUsd('1234.5') ?? '')).toBe('1234.50')
    for (const wrong of ['', '-1', '1e3', 'abc', '1.2.3', '1.0000000001']) expect(parseUsd(wrong)).toBeUndefined()
  })

  test('the share of a limit goes over 100 and a limit of nothing is full', () => {
    expect(shareOf('1720000000', '2000000000')).toBe(86)
    expect(shareOf('3', '2')).toBe(150)
    expect(shareOf('0', '0')).toBe(100)
  })
})

test('intervals are told in their largest whole units', () => {
  const texts = (language: string) =>
    [5, 60, 900, 3600, 5400, 90_000, 172_800].map((seconds) => plainInterval(seconds, language))
  expect(texts('en')).toEqual(['5 s', '1 m', '15 m', '1 h', '1 h 30 m', '25 h', '2 d'])
  expect(texts('zh-CN')).toEqual(['5 秒', '1 分钟', '15 分钟', '1 小时', '1 小时 30 分', '25 小时', '2 天'])
})

test('what is waited for or under way is told to the second', () => {
  expect([-1, 400, 59_001, 61_000].map((ms) => timeLeft(ms, 'en'))).toEqual(['0 s', '1 s', '1 m 00 s', '1 m 01 s'])
  expect([-1, 400, 59_999, 61_000].map((ms) => timeSpent(ms, 'zh-CN'))).toEqual(['0 秒', '0 秒', '59 秒', '1 分 01 秒'])
})

test('counts and durations are short and never round into the wrong unit', () => {
  expect([9999, 45_600, 999_499, 999_500, 8_412_331].map(shortCount)).toEqual([
    '9,999',
    '45.6k',
    '999k',
    '1.00M',
    '8.41M',
  ])
  const durations = [0, 350, 999.6, 4210, 59_999, 65_000, 7_380_000, 273_600_000]
  const texts = (language: string) => durations.map((ms) => shortDuration(ms, language)).join(' · ')
  expect(texts('en')).toBe('0 ms · 350 ms · 1.0 s · 4.2 s · 59.9 s · 1 m 05 s · 2 h 03 m · 3 d 04 h')
  expect(texts('zh-CN')).toBe(
    '0 毫秒 · 350 毫秒 · 1.0 秒 · 4.2 秒 · 59.9 秒 · 1 分 05 秒 · 2 小时 03 分 · 3 天 04 小时',
  )
})

test('moments are told relative to now in both languages', () => {
  expect(relativeTime(0, 180_000, 'en')).toBe('3 minutes ago')
  expect(relativeTime(7_200_000, 0, 'zh-CN')).toBe('2小时后')
})

describe('the state of an account', () => {
  const state = { name: 'RATE_LIMITED' as const, until: '2026-11-23T08:00:00Z', reason: '429', failure: null }
  const account = { state, enabled: true, platform: 'CONSOLE' as const, isTested: true }
  const off = { ...account, enabled: false }

  test('a disabled account says so before its state; a ready one gives no reason', () => {
    expect(shownState(account)).toMatchObject({ name: 'rate_limited', theme: 'warning', reason: '429' })
    expect(shownState(off)).toMatchObject({ name: 'disabled', reason: '', until: undefined })
    expect(shownState(account, { offBy: 'group_off' })).toMatchObject({ name: 'group_off', until: undefined })
    expect(shownState(off, { offBy: 'group_off' }).name).toBe('disabled')
    const ready = { ...account, state: { ...state, name: 'READY' as const } }
    expect(shownState(ready)).toMatchObject({ name: 'ready', reason: '', until: undefined })
    expect(shownState({ ...ready, isTested: false }).name).toBe('untested')
    expect(shownState({ ...ready, isTested: null }).name).toBe('ready')
    expect(shownState({ ...account, isTested: false }).name).toBe('rate_limited')
  })

  test('an account with a login signs in again, one with a key needs another key', () => {
    expect(stateName('REAUTH_REQUIRED', 'CLAUDE')).toBe('reauth_required')
    expect(stateName('REAUTH_REQUIRED', 'OPENAI')).toBe('key_rejected')
  })

  test('a success rate is 100 % only when nothing failed, and 0 % only when nothing succeeded', () => {
    expect([0, 0.001, 0.5, 0.994, 0.9999, 1].map(rateText)).toEqual(['0 %', '1 %', '50 %', '99.4 %', '99.9 %', '100 %'])
  })
})

test('the language is the chosen one, else the first of the browser that is known', () => {
  expect(chooseLanguage('zh-CN', ['en'])).toBe('zh-CN')
  expect(chooseLanguage('xx', ['fr', 'zh-TW', 'en'])).toBe('zh-CN')
  expect(chooseLanguage(null, ['fr'])).toBe('en')
})

test('the setup token leaves the address at once', () => {
  const urls: string[] = []
  const history = { replaceState: (_state: unknown, _title: string, url: string) => void urls.push(url) }
  expect(takeSetupToken({ pathname: '/setup', search: '?token=abc&x=1' }, history)).toBe('abc')
  expect(takeSetupToken({ pathname: '/setup', search: '' }, history)).toBeUndefined()
  expect(takeSetupToken({ pathname: '/live', search: '?token=abc' }, history)).toBeUndefined()
  expect(urls).toEqual(['/setup'])
})

test('signing in never leads to another host', () => {
  expect(nextPath('/keys')).toBe('/keys')
  for (const next of ['//evil.example', '/\\evil.example', 'https://evil.example', undefined])
    expect(nextPath(next)).toBe('/live')
})

test('a preset is so many days from now; a key may also never end or stay as it is', () => {
  expect(expiresAt(3, '', 0)).toBe('1970-01-04T00:00:00.000Z')
  expect(expiresAt('never', '', 0)).toBeNull()
  expect(expiresAt('keep', '', 0)).toBeUndefined()
})

test('Claude Code settings quote what a shell would read otherwise', () => {
  const { shell, powershell, json } = claudeCodeSettings('https://relay.example/claude-code', "a'b$c")
  expect(shell).toContain("export ANTHROPIC_AUTH_TOKEN='a'\\''b$c'")
  expect(powershell).toContain("$env:ANTHROPIC_AUTH_TOKEN = 'a''b$c'")
  expect(JSON.parse(json)).toEqual({
    env: { ANTHROPIC_BASE_URL: 'https://relay.example/claude-code', ANTHROPIC_AUTH_TOKEN: "a'b$c" },
  })
})

test('models are read from lines or commas, mappings from "asked = sent" lines', () => {
  expect(parseModels(' a, b\nb\n\nc，d')).toEqual(['a', 'b', 'c', 'd'])
  expect(parseModels(' \n')).toEqual(['*'])
  expect(modelsText(['*'])).toBe('')
  expect(parseMapping('a = b\nc->d').mapping).toEqual([
    { from: 'a', to: 'b' },
    { from: 'c', to: 'd' },
  ])
  expect(parseMapping('a = b\nwhat is this').wrong).toBe('what is this')
})

test('what runs of jobs come to has words in both languages, with its numbers', () => {
  const names = [
    'asked',
    'back',
    'rests',
    'steps',
    'points',
    'runs',
    'sessions',
    'tries',
    'sums',
    'logins',
    'rows',
    'changed',
  ]
  const counts = names.map((name, index) => ({ name, count: 1001 + index }))
  const numbersOf = (text: string) => (text.match(/\d+/g) ?? []).sort()
  for (const dictionary of [en, zhCN]) {
    expect(Object.keys(dictionary.runs).sort()).toEqual([...runCodes].sort())
    const all: Record<string, string> = { ...dictionary.causes, ...dictionary.runs }
    const words = (key: string): string | undefined => all[key.split('.').at(-1)!]
    const i18n = {
      te: (key: string) => words(key) !== undefined,
      t: (key: string, named: Record<string, unknown> = {}) =>
        words(key)!.replace(/\{(\w+)\}/g, (_, name: string) => String(named[name])),
    }
    for (const code of runCodes) {
      const { message } = said(code, Object.fromEntries(counts.map(({ name, count }) => [name, count])))
      const text = runText(i18n, { code, counts, message })
      expect(numbersOf(text), code).toEqual(numbersOf(message))
      expect(text).not.toMatch(/\{|undefined/)
    }
    expect(runText(i18n, { message: '401 authentication_error', code: null })).toBe('401 authentication_error')
    expect(runText(i18n, { message: 'news', code: 'of_a_later_server' })).toBe('news')
    const failure = { code: 'CONNECTION_REFUSED', place: 'a.test:443' }
    const expected = `${dictionary.causes.connection_refused} · a.test:443`
    expect(runText(i18n, { message: 'x', code: null, failure })).toBe(expected)
  }
})

test('every cause that the server can name has words in both languages, with the place where it was tried', () => {
  for (const dictionary of [en, zhCN]) {
    const words = (key: string): string | undefined => (dictionary.causes as Record<string, string>)[key.slice(7)]
    const i18n = {
      te: (key: string) => words(key) !== undefined,
      t: (key: string, named: Record<string, unknown> = {}) =>
        (words(key) ?? key).replace('{what}', String(named['what'])),
    }
    for (const code of failureCauses) {
      const text = failureText(i18n, { code, place: 'a.test:443' })
      expect(text, code).toMatch(/^.+ · a\.test:443$/)
      expect(text).not.toMatch(/causes\.|\{|undefined/)
    }
    expect(failureText(i18n, { code: 'CONNECTION_REFUSED', place: '' })).toBe(dictionary.causes.connection_refused)
    expect(failureText(i18n, { code: 'news_of_a_later_server', place: '' })).toBeUndefined()
  }
})
