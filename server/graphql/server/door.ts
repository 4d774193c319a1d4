import { createAccountEdits } from '../../accounts/edits.ts'
import { createSessions, type SessionTimes } from '../../identity/sessions.ts'
import { createSetup } from '../../identity/setup.ts'
import { createSignInTries } from '../../identity/sign-in-tries.ts'
import type { LimitStatusOf } from '../../keys/limit-status.ts'
import { createStatistics } from '../../statistics/statistics.ts'
import type { Events } from '../../store/events.ts'
import type { Seal } from '../../store/seal.ts'
import { createKeyHolderDoor } from '../key-holder/door.ts'
import type { GraphqlParts } from './parts.ts'
import { createGraphql } from './yoga.ts'

/** What the app passes in; the other parts are built here. */
export type DoorParts = Omit<
  GraphqlParts,
  'sessions' | 'signInTries' | 'setup' | 'accountEdits' | 'statistics' | 'passwordChecks'
> & { seal: Seal; events: Events; sessionTimes?: SessionTimes; limitsOf: LimitStatusOf }

/**
 * Builds the GraphQL door: `graphql` answers HTTP requests, `keyHolder` those of holders of a key, `sessions` serves the sockets (websocket.ts), `setup` makes the
 * link that a start prints until there is an administrator.
 */
export function createGraphqlDoor({ seal, events, sessionTimes, limitsOf, ...parts }: DoorParts) {
  const { database, now, dayAt } = parts
  const sessions = createSessions({ database, seal, events, now, times: sessionTimes })
  const setup = createSetup({ database, seal, now })
  const statistics = createStatistics({ database, dayAt, now })
  const graphql = createGraphql({
    ...parts,
    sessions,
    setup,
    signInTries: createSignInTries({ database, now }),
    accountEdits: createAccountEdits({ seal }),
    statistics,
    passwordChecks: { running: 0 },
  })
  const keyHolder = createKeyHolderDoor({ ...parts, statistics, limitsOf })
  return { graphql, keyHolder, sessions, setup }
}
