/** Whole events, where each without an `event:` line gets one of the `type` in its data. All other bytes stay. */
export function withEventNames(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1')
  return Buffer.from(
    text.replace(wholeEvent, (_event, mark: string, lines: string) => `${mark}${nameLine(lines)}${lines}`),
    'latin1',
  )
}

/** A byte order mark, then lines up to and with an empty one. */
const wholeEvent = /(^\xef\xbb\xbf|)((?:[^\r\n]+(?:\r\n|\r|\n))+(?:\r\n|\r|\n))/g

function nameLine(event: string): string {
  const lines = event.split(/\r\n|[\r\n]/)
  if (lines.some((line) => /^event(:|$)/.test(line))) return ''
  const data = lines.filter((line) => line.startsWith('data')).map((line) => line.replace(/^data:? ?/, ''))
  const name = typeOf(data.join('\n'))
  return name === '' ? '' : `event: ${name}\n`
}

function typeOf(data: string): string {
  try {
    const { type } = JSON.parse(data) as { type?: unknown }
    return typeof type === 'string' && /^\w{1,80}$/.test(type) ? type : ''
  } catch {
    return ''
  }
}
