import { graphql, type ResultOf } from './tada.ts'

const decisionFields = graphql(`
  fragment DecisionFields on RouteDecision {
    at model
    candidates { reason until account { id name } }
    counts { reason count }
  }
`)

export const routeTraceQuery = graphql(
  `
  query RouteTrace($requestId: String!) { trace: routeTrace(requestId: $requestId) { decisions { ...DecisionFields } } }
`,
  [decisionFields],
)

export const simulateQuery = graphql(
  `
  query SimulateRoute($apiKeyId: ID!, $model: String!) {
    simulated: simulateRoute(apiKeyId: $apiKeyId, model: $model) { keyProblem decision { ...DecisionFields } }
  }
`,
  [decisionFields],
)

export type RouteDecision = ResultOf<typeof decisionFields>
export type SimulatedRoute = NonNullable<ResultOf<typeof simulateQuery>['simulated']>
