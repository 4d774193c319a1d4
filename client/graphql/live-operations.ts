import { graphql, type ResultOf } from './tada.ts'

const runningFields = graphql(`
  fragment RunningFields on LiveRequest {
    requestId startedAt apiKeyName accountName model stream attempt queuePosition firstByteMs inputTokens outputTokens
  }
`)

/** What is running and what ended last: live events are applied to it. */
export const liveQuery = graphql(
  `
  query Live {
    liveRequests { ...RunningFields }
    logs(first: 30) {
      edges {
        node {
          requestId startedAt modelRequested stream outcome httpStatus errorType attemptCount firstByteMs durationMs cost
          apiKey { name }
          account { name }
          tokens { input output cacheWrite5m cacheWrite1h cacheRead }
        }
      }
    }
  }
`,
  [runningFields],
)

export const liveEvents = graphql(
  `
  subscription LiveEvents($after: String) {
    events: live(after: $after) {
      sequence
      gap { dropped }
      started { ...RunningFields }
      progress { ...RunningFields }
      settled {
        requestId startedAt apiKeyName accountName model stream outcome httpStatus errorType attemptCount firstByteMs
        durationMs inputTokens outputTokens cacheReadTokens cacheWriteTokens cost
      }
    }
  }
`,
  [runningFields],
)

/** Which account each request running is with. */
export const inFlightQuery = graphql(`
  query InFlight { liveRequests { requestId accountId } }
`)

export const inFlightEvents = graphql(`
  subscription InFlightEvents($after: String) {
    events: live(after: $after) {
      sequence
      gap { dropped }
      started { requestId accountId }
      progress { requestId accountId }
      settled { requestId }
    }
  }
`)

/** What keys spend, as it is settled. */
export const keySpending = graphql(`
  subscription KeySpending($after: String) {
    events: requestSettled(after: $after) { sequence gap { dropped } settled { apiKeyId cost startedAt durationMs } }
  }
`)

export const costTotals = graphql(`
  subscription CostTotals { totals: costTotals { revision snapshot day requests failures tokens cost } }
`)

export const requestQuery = graphql(`
  query Request($requestId: String!) {
    log(requestId: $requestId) {
      requestId startedAt platform modelRequested modelSent modelBilled stream outcome httpStatus errorType stopReason
      firstByteMs durationMs webSearches usageSource flags cost priceCardId priceSource sessionId agentId clientIp userAgent
      apiKey { name }
      account { name }
      group { name }
      tokens { input output cacheWrite5m cacheWrite1h cacheRead thinking }
      costParts { input output cacheWrite cacheRead units }
      attempts {
        number modelSent verdict httpStatus errorType errorCode upstreamRequestId startedAt firstByteMs durationMs charged cost
        account { name }
        failure { code place }
      }
    }
  }
`)

export type RunningRequest = ResultOf<typeof runningFields>
export type LiveEvent = ResultOf<typeof liveEvents>['events'][number]
export type SettledRequest = NonNullable<LiveEvent['settled']>
export type LoggedRequest = ResultOf<typeof liveQuery>['logs']['edges'][number]['node']
export type RequestDetail = NonNullable<ResultOf<typeof requestQuery>['log']>
export type InFlightEvent = ResultOf<typeof inFlightEvents>['events'][number]
export type SpendingEvent = ResultOf<typeof keySpending>['events'][number]
export type CostTotals = ResultOf<typeof costTotals>['totals']
