import ts from 'typescript'
import { expect, test } from 'vitest'
import { filesIn, readText } from './sources.ts'

/** Only here is it decided what an account's state means; everybody else asks isEligible and its neighbours. */
const deciders = /^server\/(accounts|generated)\//
/** These show the state as it is, weigh its text, or name the state that an answer brings about. */
const decideNothing = [
  'server/graphql/accounts/account-state.ts',
  'server/live/ring.ts',
  'server/upstreams/classify.ts',
  'server/upstreams/rules/rule.ts',
  'server/upstreams/rules/rule-checks.ts',
]

const kinds = new Set(['cooling_down', 'recovering', 'reauth_required', 'out_of_credit'])
const fields = new Set(['kind', 'untilMs', 'failures', 'cooldowns', 'limits', 'models'])

test('no file but the state’s own decides on states', () => {
  const wrong = filesIn('server')
    .filter((path) => path.endsWith('.ts') && !deciders.test(path) && !decideNothing.includes(path))
    .flatMap((path) => decisionsIn(path, readText(path)))
  expect(wrong).toEqual([])
})

test('a decision is found wherever it hides', () => {
  for (const text of [
    "if (account.live.state.kind === 'ready') go()",
    'const { kind, untilMs } = live.state',
    "const out = (state: { kind: string }) => state.kind !== 'x'",
    "const isOut = kind === 'reauth_required'",
    "switch (kind) { case 'cooling_down': break }",
    'for (const name in live.state.models) go(name)',
  ])
    expect(decisionsIn('a.ts', text), text).not.toEqual([])
  for (const text of ["if (decision.kind === 'limited') go()", 'send(account.live.state)', "show('cooling_down')"])
    expect(decisionsIn('a.ts', text), text).toEqual([])
})

/** Comparisons with kinds that only states have, and looks into something called `state`. */
function decisionsIn(path: string, text: string): string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true)
  const found: string[] = []
  const add = (node: ts.Node): void => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart())
    found.push(`${path}:${line + 1}: ${node.getText().slice(0, 80)}`)
  }
  const isKind = (node: ts.Node): boolean => ts.isStringLiteralLike(node) && kinds.has(node.text)
  const isState = (node: ts.Node): boolean => /\bstate$/.test(node.getText())
  const visit = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node) && isComparison(node) && (isKind(node.left) || isKind(node.right))) add(node)
    if (ts.isCaseClause(node) && isKind(node.expression)) add(node)
    if (ts.isPropertyAccessExpression(node) && fields.has(node.name.text) && isState(node.expression)) add(node)
    if (
      ts.isVariableDeclaration(node) &&
      ts.isObjectBindingPattern(node.name) &&
      node.initializer &&
      isState(node.initializer)
    )
      for (const { name, propertyName } of node.name.elements)
        if (fields.has((propertyName ?? name).getText())) add(node)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

const isComparison = ({ operatorToken: { kind } }: ts.BinaryExpression): boolean =>
  kind === ts.SyntaxKind.EqualsEqualsEqualsToken || kind === ts.SyntaxKind.ExclamationEqualsEqualsToken
