/** The locks of the database, each named by what it protects. Take several in one call, or two callers can block each other. */
export type LockName =
  /** Accounts with their credentials, and which group they are in. */
  | 'accounts'
  /** Sign-ins at a vendor that have begun and are not finished. */
  | 'account-logins'
  /** The deployment's id and the fingerprint of its master secret. */
  | 'deployment'
  | 'error-rules'
  /** Groups. Deleting one also needs 'accounts' and 'keys', so that nothing is put into it meanwhile. */
  | 'groups'
  /** API keys, and which group they draw from. */
  | 'keys'
  | 'key-sightings'
  | 'price-cards'
  | 'settings'
  | 'sign-in-tries'
  /** Users with their sessions; also the rule that there is always an administrator. */
  | 'users'
