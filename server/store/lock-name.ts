/** The locks of the database, each named by what it protects. Who needs several takes them in one call. */
export type LockName =
  /** Accounts with their credentials, and which group they are in. */
  | 'accounts'
  /** Sign-ins at a vendor that have begun. */
  | 'account-logins'
  /** The deployment's id and the fingerprint of its master secret. */
  | 'deployment'
  | 'error-rules'
  /** Groups. Deleting one needs 'accounts' and 'keys' too: nothing may be put into it meanwhile. */
  | 'groups'
  /** API keys, and which group they draw from. */
  | 'keys'
  | 'price-cards'
  | 'settings'
  | 'sign-in-tries'
  /** Users with their sessions, the first administrator and the last one. */
  | 'users'
