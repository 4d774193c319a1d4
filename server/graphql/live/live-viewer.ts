import { GraphQLError } from 'graphql'
import type { Viewer } from '../../identity/sessions.ts'
import type { LiveViewer } from '../../live/live-events.ts'

/** What a signed-in person may see of live events. Throws for strangers: scopes are asked when an event comes, too late. */
export function liveViewer(viewer: Viewer | null): LiveViewer {
  if (viewer === null) throw new GraphQLError('Sign in first.', { extensions: { code: 'UNAUTHENTICATED' } })
  if (viewer.mustChangePassword) {
    throw new GraphQLError('Choose another password first.', { extensions: { code: 'PASSWORD_CHANGE_NEEDED' } })
  }
  return { userId: viewer.role === 'admin' ? null : viewer.userId }
}

/** Names the rights by which answers are shared (result-sharing.ts). */
export const liveViewerKey = ({ viewer }: { viewer: Viewer | null }): string | null =>
  viewer === null ? null : viewer.role === 'admin' ? 'admin' : `user ${viewer.userId}`
