import type { Account } from '../../accounts/account.ts'

/** The header that carries an account's secret. */
export const credentialOf = ({ authHeader, secret }: Account): [name: string, value: string] =>
  authHeader === 'bearer' ? ['authorization', `Bearer ${secret}`] : [authHeader, secret]
