// A request's slot at an account.
import type { Account } from '../../accounts/account.ts'

export interface Slot {
  account: Account
  /** Until then it is counted there. Once is enough, twice does no harm. */
  free(): void
}
