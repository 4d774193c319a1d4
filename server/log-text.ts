/** Turns a JSON line of the log into plain text for a terminal: time, level, room, message, fields. */
export function plainLine(line: string): string {
  const { time, level, room, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  const words = [time, String(level).toUpperCase().padEnd(5), room ?? 'app', msg ?? '']
  // A stack would fill the screen. It is shown only for fatal errors, and always with LOG_FORMAT=json.
  const shown = (name: string, value: unknown) => (name === 'stack' && level !== 'fatal' ? undefined : value)
  for (const [name, value] of Object.entries(fields)) words.push(`${name}=${JSON.stringify(value, shown)}`)
  return `${words
    .map(String)
    .join(' ')
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trimEnd()}\n`
}
