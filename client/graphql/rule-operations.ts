import { graphql, type ResultOf, type VariablesOf } from './tada.ts'

const ruleFields = graphql(`
  fragment RuleFields on ErrorRule {
    id name enabled platform status errorType code message effect scope durationSeconds
  }
`)

const meaningFields = graphql(`
  fragment MeaningFields on Classification { name isRule effect scope durationSeconds }
`)

export const rulesQuery = graphql(
  `
  query ErrorRules($platform: Platform!) {
    rules: errorRules { ...RuleFields }
    builtIn: builtInErrorRules(platform: $platform) { status errorType code message limits means { ...MeaningFields } }
  }
`,
  [ruleFields, meaningFields],
)

export const createRule = graphql(
  `
  mutation CreateErrorRule($input: CreateErrorRuleInput!) {
    result: createErrorRule(input: $input) {
      __typename
      ... on CreateErrorRuleSuccess { errorRule { ...RuleFields } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [ruleFields],
)

export const updateRule = graphql(
  `
  mutation UpdateErrorRule($input: UpdateErrorRuleInput!) {
    result: updateErrorRule(input: $input) {
      __typename
      ... on UpdateErrorRuleSuccess { errorRule { ...RuleFields } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [ruleFields],
)

export const deleteRule = graphql(`
  mutation DeleteErrorRule($id: ID!) {
    result: deleteErrorRule(input: { id: $id }) {
      __typename
      ... on DeleteErrorRuleSuccess { deletedId }
      ... on Failure { code values message }
    }
  }
`)

export const orderRules = graphql(`
  mutation ReorderErrorRules($ids: [ID!]!) {
    result: reorderErrorRules(input: { ids: $ids }) {
      __typename
      ... on ReorderErrorRulesSuccess { errorRules { id } }
      ... on Failure { code values message }
    }
  }
`)

export const testRule = graphql(
  `
  mutation TestErrorRule($input: TestErrorRuleInput!) {
    result: testErrorRule(input: $input) {
      __typename
      ... on TestErrorRuleSuccess {
        attempts touchedAttempts
        touchedAccounts { id name }
        failures {
          platform status errorType code outcome attempts match
          accounts { id name }
          today { ...MeaningFields }
          withRule { ...MeaningFields }
        }
        sample { errorType code matches today { ...MeaningFields } withRule { ...MeaningFields } }
      }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [meaningFields],
)

export type Rule = ResultOf<typeof ruleFields>
export type BuiltInRule = NonNullable<ResultOf<typeof rulesQuery>['builtIn']>[number]
export type Meaning = ResultOf<typeof meaningFields>
export type RuleInput = VariablesOf<typeof testRule>['input']
export type RuleTrial = Extract<ResultOf<typeof testRule>['result'], { __typename: 'TestErrorRuleSuccess' }>
export type TriedFailure = RuleTrial['failures'][number]
