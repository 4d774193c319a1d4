import { readFileSync } from 'node:fs'

/** A server's key and certificate, as tls.createServer takes them. */
export interface ServerIdentity {
  key: string
  cert: string
}

const pem = (name: string): string => readFileSync(new URL(`pem/${name}.pem`, import.meta.url), 'utf8')

/** What tests trust: signs `leaf` and `elsewhere`. Made by pem/make.sh, valid until 2074. */
export const testCa: string = pem('ca')
/** A CA that signed nothing here: trusting it alone makes every connection fail. */
export const strangerCa: string = pem('stranger-ca')
/** For localhost, upstream.test, 127.0.0.1 and ::1. */
export const leaf: ServerIdentity = { key: pem('leaf-key'), cert: pem('leaf') }
/** For elsewhere.test only: right CA, wrong name. */
export const elsewhere: ServerIdentity = { key: pem('elsewhere-key'), cert: pem('elsewhere') }
