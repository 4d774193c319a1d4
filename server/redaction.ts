const removed = '[redacted]'
const deepest = 6

/** Compared with names in lower case without - and _. `tokens` and `inputTokens` are counts and are kept. */
const secretName =
  /^(authorization|proxyauthorization|cookie|setcookie|credentials?|passphrase|privatekey|sealed|.*apikey|.*secret|.*passwd|.*password|.*passwordhash|.*token)$/

/** Removes `user:password@` and secret query values from every URL in a text. */
export function redactUrl(text: string): string {
  // Anchored at ://, so that a long text takes linear time.
  return text
    .replace(/:\/\/[^\s/?#"'<>]*@/g, '://')
    .replace(/([?&](?:[\w-]*(?:key|token|secret|password)|code)=)[^&#\s"'<>]+/gi, `$1${removed}`)
}

/** A text for people, without credentials in URLs, keys (`sk-…`) and authorization values. */
export function redactText(text: string): string {
  return redactUrl(text)
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${removed}`)
    .replace(/\bsk-[\x21\x23-\x26\x28-\x2b\x2d-\x3a\x3c-\x5b\x5e-\x7a\x7e]{8,}/g, `sk-${removed}`)
}

/** A copy that may be logged: secret fields are replaced, texts redacted, errors become plain objects, buffers their sizes. */
export function redactFields(fields: object): Record<string, unknown> {
  return copyOf(fields, [])
}

/** The same for any value. */
export function redactValue(value: unknown): unknown {
  return clean(value, [])
}

function clean(value: unknown, above: readonly object[]): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (above.length >= deepest || above.includes(value)) return '[…]'
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (value instanceof Date) return value
  if (value instanceof URL) return redactUrl(value.href)
  if (Array.isArray(value))
    return value.map((item, index) => (isNamed(value[index - 1]) ? removed : clean(item, [...above, value])))
  if (value instanceof Map) return copyOf(Object.fromEntries(value) as object, [...above, value])
  if (value instanceof Error) {
    const { name, message, stack, cause } = value
    // When a name has several addresses, the causes of a failed connection are in `errors`, and `message` is empty.
    const errors = value instanceof AggregateError ? value.errors : undefined
    return copyOf({ type: name, message, stack, cause, errors, ...(value as object) }, [...above, value])
  }
  return copyOf(value, [...above, value])
}

function copyOf(fields: object, above: readonly object[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, isSecret(name, value) ? removed : clean(value, above)]),
  )
}

function isSecret(name: string, value: unknown): boolean {
  const isEmpty = value === null || value === undefined || typeof value === 'boolean' || typeof value === 'number'
  return !isEmpty && isNamed(name)
}

/** True for the name of a secret; in raw header lists the name comes before its value. */
function isNamed(name: unknown): boolean {
  return typeof name === 'string' && name.length < 60 && secretName.test(name.toLowerCase().replace(/[-_]/g, ''))
}
