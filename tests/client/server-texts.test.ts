import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { serverText } from '../../client/locales/server-texts.ts'

/** Where the server words what people did wrong. */
const files = [
  'graphql/accounts/account-input',
  'graphql/accounts/account-mutations',
  'graphql/keys/api-key-mutations',
  'graphql/accounts/claude-accounts',
  'graphql/accounts/account-login-input',
  'graphql/groups/groups',
  'graphql/jobs/jobs',
  'graphql/ownership',
  'graphql/rules/rule-bench',
  'graphql/rules/rule-input',
  'graphql/identity/session',
  'graphql/settings/settings',
  'graphql/values',
  'identity/sessions',
  'identity/sign-in-tries',
  'identity/user-input',
  'identity/users',
  'accounts/account-input',
  'accounts/account-groups',
  'accounts/edits',
  'accounts/group-input',
  'accounts/login/oauth-import',
  'accounts/login/oauth-login',
  'keys/key-input',
  'keys/keys',
  'upstreams/rules/rule-checks',
  'upstreams/rules/rule-input',
  'upstreams/rules/rules',
  'field-values',
]
const refusals = new Set(['inputFailure', 'conflict', 'VerbFailure', 'refuse', 'addIssue'])
/** How a sentence begins that stands behind the name of a field. */
const clause = /^(is|are|has|have|must|cannot|could|was|needs|names|belongs) /

/** What the file says to people: clauses behind a field, and the sentences of refusals. */
function sentencesOf(file: string): string[] {
  const text = readFileSync(new URL(`../../server/${file}.ts`, import.meta.url), 'utf8')
  const found: string[] = []
  function visit(node: ts.Node, isRefused: boolean): void {
    if (ts.isPropertyAssignment(node) && node.name.getText() === 'description') return
    // What only the log and the programs of administrators say.
    if (ts.isNewExpression(node) && node.expression.getText() === 'Error') return
    const said = wordsOf(node)
    if (said !== undefined && (clause.test(said) || (isRefused && /^[A-Z].*\.$/s.test(said)))) found.push(said)
    const refuses =
      (ts.isCallExpression(node) || ts.isNewExpression(node)) &&
      refusals.has(node.expression.getText().split('.').at(-1)!)
    ts.forEachChild(node, (child) => visit(child, isRefused || refuses))
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true), false)
  return found
}

/** The text of a literal; what a template puts in is a 7. */
function wordsOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text
  if (!ts.isTemplateExpression(node)) return undefined
  return node.head.text + node.templateSpans.map(({ literal }) => `7${literal.text}`).join('')
}

test('whatever the server refuses is said in Chinese too', () => {
  const sentences = files.flatMap((file) => sentencesOf(file).map((sentence) => [file, sentence] as const))
  expect(sentences.length).toBeGreaterThan(80)
  const mute = sentences.filter(([, sentence]) => !/\p{Script=Han}/u.test(serverText('zh-CN', sentence)))
  expect(mute).toEqual([])
})

test('what the server put into a sentence stays in it, and is put into words where it has some', () => {
  expect(serverText('zh-CN', 'must be at least 20')).toBe('不能小于 20')
  expect(serverText('zh-CN', 'was not taken: The token endpoint answered 400 invalid_grant. Begin again')).toBe(
    '未被接受：令牌接口回答 400 invalid_grant。请重新开始',
  )
})

test('how long to wait is said in the units of the reader', () => {
  const wait = (time: string) => serverText('zh-CN', `Too many tries to sign in. Try again in ${time}.`)
  expect([wait('40 s'), wait('12 min')]).toEqual([
    '登录尝试过多，请在 40 秒后重试。',
    '登录尝试过多，请在 12 分钟后重试。',
  ])
})

test('a count and what is counted find their words', () => {
  expect(serverText('zh-CN', 'The group still has 4 accounts. Move or delete them first.')).toContain('还有 4 个账号')
  expect(serverText('zh-CN', 'The group still has 1 API key. Move or delete them first.')).toContain(
    '还有 1 个 API 密钥',
  )
  expect(serverText('zh-CN', 'The account is ready: there is nothing to look for.')).toBe('账号可用，无需探测。')
})

test('others read the server as it is, and so is what it quotes', () => {
  expect(serverText('en', 'is taken')).toBe('is taken')
  expect(serverText('zh-CN', 'Your credit balance is too low')).toBe('Your credit balance is too low')
  expect(serverText('zh-CN', 'toString')).toBe('toString')
  expect(serverText('zh-CN', '')).toBe('')
})
