/** Decimal text to integers and back. Amounts never become a float. */

const nanoDecimals = 9
/** What a BIGINT column holds. */
const largestNano = 2n ** 63n - 1n

/**
 * Reads US dollars as people write them ("12.50") as nano-USD.
 * Throws an error whose `name` says what is wrong: UsdMalformed, UsdExponent, UsdNegative, UsdTooPrecise (more than nine
 * decimals), UsdTooLarge (over 2^63-1 nano-USD, about $9.2e9).
 */
export function parseUsd(text: string): bigint {
  if (/^-\d/.test(text)) throw refusal('UsdNegative', text, 'is negative')
  if (/^\d[\d.]*e[+-]?\d+$/i.test(text)) throw refusal('UsdExponent', text, 'has an exponent; write it out')
  const nano = parseDecimal(text, nanoDecimals)
  if (nano === 'malformed') throw refusal('UsdMalformed', text, 'is not an amount such as 12.50')
  if (nano === 'too_precise') throw refusal('UsdTooPrecise', text, 'has more than nine decimals')
  if (nano > largestNano) throw refusal('UsdTooLarge', text, 'is more than can be stored')
  return nano
}

/** Nano-USD as US dollars, exact, without trailing zeros: 1926000 is "0.001926". Throws on a number that is no safe integer. */
export function formatUsd(nano: bigint | number): string {
  if (typeof nano === 'number' && !Number.isSafeInteger(nano)) throw new RangeError(`not exact nano-USD: ${nano}`)
  return formatDecimal(BigInt(nano), nanoDecimals)
}

/** Reads US dollars per million tokens ("0.003625") as pico-USD per token (3625). Throws when the text is no such price. */
export function parseRate(usdPerMillionTokens: string): number {
  const pico = parseDecimal(usdPerMillionTokens, 6)
  if (typeof pico !== 'bigint' || pico > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`not a price per million tokens with at most six decimals: ${usdPerMillionTokens}`)
  }
  return Number(pico)
}

/** Pico-USD per token as US dollars per million tokens: 3625 is "0.003625". */
export const formatRate = (pico: number): string => formatDecimal(BigInt(pico), 6)

/** A factor in basis points as decimal text: 8500 is "0.85". */
export const formatFactor = (bp: number): string => formatDecimal(BigInt(bp), 4)

/** An integer in units of 10^-`decimals` as decimal text, without trailing zeros. */
function formatDecimal(value: bigint, decimals: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0')
  const fraction = digits.slice(-decimals).replace(/0+$/, '')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -decimals)}${fraction && `.${fraction}`}`
}

/** Decimal text as an integer in units of 10^-`decimals`: "12.5" with 2 decimals is 1250. */
function parseDecimal(text: string, decimals: number): bigint | 'malformed' | 'too_precise' {
  const match = /^(\d{1,20})(?:\.(\d{1,40}))?$/.exec(text)
  if (!match) return 'malformed'
  const fraction = match[2] ?? ''
  return fraction.length > decimals ? 'too_precise' : BigInt(`${match[1]}${fraction.padEnd(decimals, '0')}`)
}

function refusal(name: string, text: string, wrong: string): Error {
  return Object.assign(new Error(`${JSON.stringify(text.slice(0, 40))} ${wrong}`), { name })
}
