import { GraphQLError } from 'graphql'
import type { Viewer } from '../../identity/sessions.ts'
import type { LiveViewer } from '../../live/live-events.ts'

/** What a signed-in person may read of live events. Throws for others already at subscribing: scopes are only checked at events. */
export function liveViewer(viewer: Viewer | null): LiveViewer {
  if (viewer === null) throw new GraphQLError('Sign in first.', { extensions: { code: 'UNAUTHENTICATED' } })
  if (viewer.mustChangePassword) {
    throw new GraphQLError('Choose another password first.', { extensions: { code: 'PASSWORD_CHANGE_NEEDED' } })
  }
  return { userId: viewer.role === 'admin' ? null : viewer.userId }
}
