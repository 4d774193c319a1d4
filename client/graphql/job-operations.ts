import { graphql, type ResultOf } from './tada.ts'

export const jobsQuery = graphql(`
  query Jobs { jobs { name everySeconds nextAt lastRun { at durationMs outcome message code counts { name count } } } }
`)

export const runJob = graphql(`
  mutation RunJob($name: String!) {
    result: runJob(name: $name) {
      __typename
      ... on RunJobSuccess { ok }
      ... on Failure { message }
    }
  }
`)

export type Job = ResultOf<typeof jobsQuery>['jobs'][number]
