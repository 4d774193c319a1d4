/** Whole events, where each without a name of its own gets that of the `type` in its data. All other bytes stay. */
export function withEventNames(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1')
  return Buffer.from(
    text.replace(wholeEvent, (_event, mark: string, lines: string) => `${mark}${named(lines)}`),
    'latin1',
  )
}

/** A byte order mark, then lines up to and with an empty one. */
const wholeEvent = /(^\xef\xbb\xbf|)((?:[^\r\n]+(?:\r\n|\r|\n))+(?:\r\n|\r|\n))/g

/** No name, an empty one and `message` are the same by the standard, and SDKs know no event of that name. */
const noName = /^event(?::[ ]?(?:message)?)?(?:\r\n|\r|\n)/gm

function named(event: string): string {
  const lines = event.split(/\r\n|[\r\n]/)
  if (lines.some((line) => /^event:(?! ?(?:message)?$)/.test(line))) return event
  const data = lines.filter((line) => /^data(:|$)/.test(line)).map((line) => line.replace(/^data:? ?/, ''))
  const name = typeOf(data.join('\n'))
  return name === '' ? event : `event: ${name}\n${event.replace(noName, '')}`
}

function typeOf(data: string): string {
  try {
    const { type } = JSON.parse(data) as { type?: unknown }
    return typeof type === 'string' && /^\w{1,80}$/.test(type) ? type : ''
  } catch {
    return ''
  }
}
