import { createAccountEdits } from '../../accounts/edits.ts'
import { createSessions, type SessionTimes } from '../../identity/sessions.ts'
import { createSetup } from '../../identity/setup.ts'
import { createSignInTries } from '../../identity/sign-in-tries.ts'
import { createStatistics } from '../../statistics/statistics.ts'
import type { Events } from '../../store/events.ts'
import type { Seal } from '../../store/seal.ts'
import type { GraphqlParts } from './parts.ts'
import { createGraphql } from './yoga.ts'

/** What the app passes in; the other parts are built here. */
export type DoorParts = Omit<
  GraphqlParts,
  'sessions' | 'signInTries' | 'setup' | 'accountEdits' | 'statistics' | 'passwordChecks'
> & { seal: Seal; events: Events; sessionTimes?: SessionTimes }

/**
 * Builds the GraphQL door: `graphql` answers HTTP requests, `sessions` serves the sockets (websocket.ts), `setup` makes the
 * link that a start prints until there is an administrator.
 */
export function createGraphqlDoor({ seal, events, sessionTimes, ...parts }: DoorParts) {
  const { database, now, dayAt } = parts
  const sessions = createSessions({ database, seal, events, now, times: sessionTimes })
  const setup = createSetup({ database, seal, now })
  const graphql = createGraphql({
    ...parts,
    sessions,
    setup,
    signInTries: createSignInTries({ database, now }),
    accountEdits: createAccountEdits({ seal }),
    statistics: createStatistics({ database, dayAt, now }),
    passwordChecks: { running: 0 },
  })
  return { graphql, sessions, setup }
}
