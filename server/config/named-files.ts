import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** Says which setting a failure of the operating system or the network comes from; our own messages say it already. */
export const naming =
  (setting: string) =>
  (error: unknown): never => {
    if (!(error instanceof Error) || !(hasCode(error) || hasCode(error.cause))) throw error
    throw new Error(`${setting}: ${error.message}`, { cause: error })
  }

const hasCode = (error: unknown): boolean => error instanceof Error && 'code' in error

/** The text of a file that a setting names. Throws with the setting's name. */
export function readText(path: string, setting: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${setting}: cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? 'error'})`)
  }
}

/** CA_FILE's text; a file without a certificate would be passed over in silence. */
export function readCa(path: string): string {
  const pem = readText(path, 'CA_FILE')
  try {
    new X509Certificate(pem)
  } catch {
    throw new Error(`CA_FILE: ${path} does not begin with a certificate in PEM`)
  }
  return pem
}
