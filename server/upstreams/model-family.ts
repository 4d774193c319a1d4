/** Models that share a limit: `claude-sonnet-5-5` → `*sonnet*`. A name of another make is a family of its own. */
export function familyOf(model: string): string {
  const word = /^claude-(?:\d[\d.]*-)*([a-z]{3,})/i.exec(model)?.[1]
  return word === undefined ? model : `*${word.toLowerCase()}*`
}
