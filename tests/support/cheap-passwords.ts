import { createPasswords, type PasswordCost } from '../../server/identity/passwords.ts'

/** Sign-ins of tests cost a millisecond instead of fifty. */
export const cheapCost: PasswordCost = { memoryKib: 8, passes: 1 }

export const cheapPasswords = createPasswords(cheapCost)
