import { expect, test } from 'vitest'
import { loginProblem, newLoginForm, readLogin } from '../../client/pages/accounts/claude/claude-login-form.ts'

const words = { required: 'missing' }

test('only the way that was chosen is sent, trimmed; what was typed into others stays here', () => {
  const form = { ...newLoginForm('setupToken'), code: 'code#state', setupToken: ' sk-ant-oat01-x \n', accessToken: 'a' }
  expect(readLogin(form, words)).toEqual({ problems: {}, login: { setupToken: 'sk-ant-oat01-x' } })
  expect(readLogin({ ...form, way: 'code' }, words).login).toEqual({ code: 'code#state' })
  expect(readLogin({ ...form, way: 'keep' }, words)).toEqual({ problems: {}, login: undefined })
})

test('a refresh token and an end go with an access token where they are given', () => {
  const form = { ...newLoginForm('accessToken'), accessToken: 'access' }
  expect(readLogin(form, words).login).toEqual({ tokens: { accessToken: 'access' } })
  const whole = { ...form, refreshToken: 'refresh', expiresAt: '2026-11-23 10:00' }
  expect(readLogin(whole, words).login).toEqual({
    tokens: {
      accessToken: 'access',
      refreshToken: 'refresh',
      expiresAt: new Date('2026-11-23T10:00').toISOString(),
    },
  })
})

test.each(['code', 'accessToken', 'setupToken', 'credentialsFile'] as const)(
  'what is missing of %s is told beside it, and so is a problem of the login as a whole',
  (way) => {
    const form = newLoginForm(way)
    const { problems } = readLogin(form, words)
    expect(loginProblem(problems, form, way)).toBe('missing')
    expect(loginProblem({ login: 'cannot be' }, form, way)).toBe('cannot be')
    expect(loginProblem({ login: 'cannot be' }, form, 'refreshToken')).toBeUndefined()
    expect(loginProblem({ 'login.tokens.refreshToken': 'odd' }, form, 'refreshToken')).toBe('odd')
  },
)
