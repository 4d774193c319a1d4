import { graphql, type ResultOf } from './tada.ts'

export const jobsQuery = graphql(`
  query Jobs { jobs { name everySeconds nextAt lastRun { at durationMs outcome message code counts { name count } } } }
`)

export const runJob = graphql(`
  mutation RunJob($name: JobName!) {
    result: runJob(input: { name: $name }) {
      __typename
      ... on RunJobSuccess { job { name } }
      ... on Failure { code values message }
    }
  }
`)

export type Job = NonNullable<ResultOf<typeof jobsQuery>['jobs']>[number]
