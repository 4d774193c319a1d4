import type { Prisma } from '../generated/sqlite/client.ts'
import type { Viewer } from '../identity/sessions.ts'

/**
 * What a viewer may read of each noun, as a condition for AND in every query. Users read what they own; a group also when
 * it is shared, or holds a key or an account of theirs. Administrators read everything, callers without a session nothing.
 */
const nothing = { id: -1 }
const isAdmin = (viewer: Viewer | null): boolean => viewer?.role === 'admin'

export function visibleUsers(viewer: Viewer | null): Prisma.UserWhereInput {
  if (viewer === null) return nothing
  return isAdmin(viewer) ? {} : { id: viewer.userId }
}

export function visibleGroups(viewer: Viewer | null): Prisma.GroupWhereInput {
  if (viewer === null) return nothing
  if (isAdmin(viewer)) return {}
  return {
    OR: [
      { ownerId: viewer.userId },
      { shared: true },
      { apiKeys: { some: { userId: viewer.userId, deletedMark: 0 } } },
      { accounts: { some: { account: { ownerId: viewer.userId, deletedMark: 0 } } } },
    ],
  }
}

export function visibleAccounts(viewer: Viewer | null): Prisma.AccountWhereInput {
  if (viewer === null) return nothing
  return isAdmin(viewer) ? {} : { ownerId: viewer.userId }
}

export function visibleKeys(viewer: Viewer | null): Prisma.ApiKeyWhereInput {
  if (viewer === null) return nothing
  return isAdmin(viewer) ? {} : { userId: viewer.userId }
}

/** The condition on rows of the ledger and its rollups; overrides a given filter. No user has the id −1. */
export function visibleUse(viewer: Viewer | null): { userId?: number } {
  if (viewer === null) return { userId: -1 }
  return isAdmin(viewer) ? {} : { userId: viewer.userId }
}

/**
 * Groups that a viewer may put something into. Keys also into shared ones; accounts only into one's own, because an
 * account's owner can read what is asked through it.
 */
export function openGroups(viewer: Viewer, what: 'accounts' | 'keys'): Prisma.GroupWhereInput {
  if (what === 'accounts' || isAdmin(viewer)) return ownGroups(viewer)
  return { OR: [ownGroups(viewer), { shared: true }] }
}

/** Groups that a viewer may change and delete. */
export function ownGroups(viewer: Viewer): Prisma.GroupWhereInput {
  return isAdmin(viewer) ? {} : { ownerId: viewer.userId }
}
