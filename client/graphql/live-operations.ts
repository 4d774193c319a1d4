import { graphql, type ResultOf } from './tada.ts'

const runningFields = graphql(`
  fragment RunningFields on Request {
    requestId startedAt modelRequested stream attemptCount queuePosition firstByteMs
    apiKey { id name }
    account { id name }
    tokens { input output }
  }
`)

const settledFields = graphql(`
  fragment SettledFields on Request {
    requestId startedAt modelRequested stream outcome httpStatus errorType attemptCount firstByteMs durationMs cost
    apiKey { id name }
    account { id name }
    tokens { input output cacheWrite5m cacheWrite1h cacheRead }
  }
`)

/** What is running and what ended last: live events are applied to it. */
export const liveQuery = graphql(
  `
  query Live {
    liveRequests { nodes { ...RunningFields } }
    requests(first: 30) { nodes { ...SettledFields } }
  }
`,
  [runningFields, settledFields],
)

export const liveEvents = graphql(
  `
  subscription LiveEvents($after: String) {
    feed: requestEvents(after: $after) {
      cursor
      gap { dropped }
      events {
        __typename
        ... on RequestStarted { request { ...RunningFields } }
        ... on RequestProgressed { request { ...RunningFields } }
        ... on RequestSettled { request { ...SettledFields } }
        ... on RequestsRejected { requestIds }
      }
    }
  }
`,
  [runningFields, settledFields],
)

/** Which account each request running is with. */
export const inFlightQuery = graphql(`
  query InFlight { liveRequests { nodes { requestId account { id } } } }
`)

export const inFlightEvents = graphql(`
  subscription InFlightEvents($after: String) {
    feed: requestEvents(after: $after) {
      cursor
      gap { dropped }
      events {
        __typename
        ... on RequestStarted { request { requestId account { id } } }
        ... on RequestProgressed { request { requestId account { id } } }
        ... on RequestSettled { request { requestId outcome account { id } } }
        ... on RequestsRejected { requestIds }
      }
    }
  }
`)

/** What keys spend, as it is settled. */
export const keySpending = graphql(`
  subscription KeySpending($after: String) {
    feed: requestEvents(after: $after, filter: { kinds: [SETTLED] }) {
      cursor
      gap { dropped }
      events {
        __typename
        ... on RequestSettled { request { apiKey { id } billed startedAt durationMs } }
      }
    }
  }
`)

export const costTotals = graphql(`
  subscription CostTotals {
    totals: costTotals {
      events {
        __typename
        ... on CostTotalsSnapshot { day requests failures rejected tokens cost }
        ... on CostTotalsDelta { day requests failures rejected tokens cost }
      }
    }
  }
`)

export const requestQuery = graphql(`
  query Request($requestId: String!) {
    request(requestId: $requestId) {
      requestId status startedAt platform modelRequested modelSent modelBilled stream outcome httpStatus errorType stopReason
      firstByteMs durationMs webSearches usageSource flags cost billed priceCardId priceSource sessionId agentId clientIp userAgent
      apiKey { id name }
      account { id name }
      group { id name }
      tokens { input output cacheWrite5m cacheWrite1h cacheRead thinking }
      costParts { input output cacheWrite cacheRead units }
      attempts {
        number modelSent outcome httpStatus errorType errorCode upstreamRequestId startedAt firstByteMs durationMs charged cost
        account { id name }
        failure { code place }
      }
    }
  }
`)

export type RunningRequest = ResultOf<typeof runningFields>
export type SettledRequest = ResultOf<typeof settledFields>
export type LiveEvent = ResultOf<typeof liveEvents>['feed']['events'][number]
export type LiveResponse = ResultOf<typeof liveQuery>
export type RequestDetail = NonNullable<ResultOf<typeof requestQuery>['request']>
export type InFlightEvent = ResultOf<typeof inFlightEvents>['feed']['events'][number]
export type SpendingEvent = ResultOf<typeof keySpending>['feed']['events'][number]
export type CostTotalsEvent = ResultOf<typeof costTotals>['totals']['events'][number]
