// Whether a key may be used from an address, and by a program.
import { type Failure, fail } from '../../errors.ts'
import type { ApiKey } from '../../keys/api-key.ts'
import { shown } from './inspect.ts'

/** Why not, with the address or program that was seen; null: it may. No 401: a client would ask people to log in again. */
export function clientRefusal(key: ApiKey, address: string, userAgent: string): Failure | null {
  if (key.addresses !== null && !key.addresses.contains(address))
    return fail(
      'address_not_allowed',
      `This API key may not be used from the address ${address || 'that is not known'}.`,
    )
  if (key.clients !== null && !key.clients.some((pattern) => pattern.test(userAgent)))
    return fail('client_not_allowed', `This API key may not be used by the program ${shown(userAgent)}.`)
  return null
}
