import { graphql, type ResultOf, type VariablesOf } from './tada.ts'

const ruleFields = graphql(`
  fragment RuleFields on VerdictRule {
    id name enabled platform status errorType code message effect scope durationSeconds
  }
`)

const meaningFields = graphql(`
  fragment MeaningFields on VerdictMeaning { name isRule effect scope durationSeconds }
`)

export const rulesQuery = graphql(
  `
  query VerdictRules($platform: Platform!) {
    rules: verdictRules { ...RuleFields }
    builtIn: builtInVerdicts(platform: $platform) { status errorType code message limits means { ...MeaningFields } }
  }
`,
  [ruleFields, meaningFields],
)

export const createRule = graphql(
  `
  mutation CreateVerdictRule($input: CreateVerdictRuleInput!) {
    result: createVerdictRule(input: $input) {
      __typename
      ... on CreateVerdictRuleSuccess { verdictRule { ...RuleFields } }
      ... on InputFailure { fields { path message } }
      ... on Failure { message }
    }
  }
`,
  [ruleFields],
)

export const updateRule = graphql(
  `
  mutation UpdateVerdictRule($input: UpdateVerdictRuleInput!) {
    result: updateVerdictRule(input: $input) {
      __typename
      ... on UpdateVerdictRuleSuccess { verdictRule { ...RuleFields } }
      ... on InputFailure { fields { path message } }
      ... on Failure { message }
    }
  }
`,
  [ruleFields],
)

export const deleteRule = graphql(`
  mutation DeleteVerdictRule($id: ID!) {
    result: deleteVerdictRule(id: $id) {
      __typename
      ... on DeleteVerdictRuleSuccess { ok }
      ... on Failure { message }
    }
  }
`)

export const orderRules = graphql(`
  mutation OrderVerdictRules($ids: [ID!]!) {
    result: orderVerdictRules(ids: $ids) {
      __typename
      ... on OrderVerdictRulesSuccess { ok }
      ... on Failure { message }
    }
  }
`)

export const testRule = graphql(
  `
  mutation TestVerdictRule($input: TestVerdictRuleInput!) {
    result: testVerdictRule(input: $input) {
      __typename
      ... on TestVerdictRuleSuccess {
        attempts touchedAttempts
        touchedAccounts { id name }
        failures {
          platform status errorType code verdict attempts match
          accounts { id name }
          today { ...MeaningFields }
          withRule { ...MeaningFields }
        }
        sample { errorType code matches today { ...MeaningFields } withRule { ...MeaningFields } }
      }
      ... on InputFailure { fields { path message } }
      ... on Failure { message }
    }
  }
`,
  [meaningFields],
)

export type Rule = ResultOf<typeof ruleFields>
export type BuiltInRule = ResultOf<typeof rulesQuery>['builtIn'][number]
export type Meaning = ResultOf<typeof meaningFields>
export type RuleInput = VariablesOf<typeof testRule>['input']
export type RuleTrial = Extract<ResultOf<typeof testRule>['result'], { __typename: 'TestVerdictRuleSuccess' }>
export type TriedFailure = RuleTrial['failures'][number]
