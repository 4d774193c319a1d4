import { expect } from 'vitest'
import { startGraphqlStand } from './stand.ts'

/** Operations on rules, and an administrator who runs them. */

const failures = `__typename ... on InputFailure { fields { path message } } ... on Failure { message }`
const fields = 'id name enabled platform status errorType code message effect scope durationSeconds'
export const documents = {
  create: `mutation ($input: CreateErrorRuleInput!) { result: createErrorRule(input: $input) { ... on CreateErrorRuleSuccess { errorRule { ${fields} } } ${failures} } }`,
  update: `mutation ($input: UpdateErrorRuleInput!) { result: updateErrorRule(input: $input) { ... on UpdateErrorRuleSuccess { errorRule { ${fields} } } ${failures} } }`,
  remove: `mutation ($id: ID!) { result: deleteErrorRule(input: { id: $id }) { __typename ... on Failure { message } } }`,
  order: `mutation ($ids: [ID!]!) { result: reorderErrorRules(input: { ids: $ids }) { __typename ... on Failure { message } } }`,
  try: `mutation ($input: TestErrorRuleInput!) { result: testErrorRule(input: $input) { ${failures} ... on TestErrorRuleSuccess {
    since attempts touchedAttempts touchedAccounts { name }
    failures { platform status errorType code outcome attempts lastAt match accounts { name } today { name isRule effect } withRule { name isRule effect scope durationSeconds } }
    sample { errorType code matches today { name effect } withRule { name effect } } } } }`,
}
export const rule = { name: 'quota', status: '400', code: 'quota', effect: 'RATE_LIMIT', durationSeconds: 60 }

export async function startRules() {
  const stand = await startGraphqlStand()
  const ada = await stand.addUser('ada', 'admin')
  const run = async (document: keyof typeof documents, variables: object) => {
    const { data, errors } = await stand.ask(documents[document], variables, ada)
    expect(errors).toBeUndefined()
    return data.result
  }
  const list = async () => (await stand.ask(`{ errorRules { ${fields} } }`, {}, ada)).data.errorRules
  const paths = (result: { fields: { path: string }[] }) => result.fields.map(({ path }) => path)
  return { stand, ada, run, list, paths }
}
