/** Lines or commas as a person types them → names, each once, in order. */
function parseNames(text: string): string[] {
  const names = text.split(/[\n,，]/).map((name) => name.trim())
  return [...new Set(names.filter((name) => name !== ''))]
}

/** The models that something may use: an empty text allows all, which the server knows as `*`. */
export function parseModels(text: string): string[] {
  const names = parseNames(text)
  return names.length === 0 ? ['*'] : names
}

/** The other way round: lines, and nothing where all are allowed. */
export const modelsText = (models: readonly string[]): string => (models.join() === '*' ? '' : models.join('\n'))

/** "from = to" lines → mappings; the first line that is not one is named. */
export function parseMapping(text: string): { mapping: { from: string; to: string }[]; wrong: string | undefined } {
  const mapping: { from: string; to: string }[] = []
  for (const line of text.split('\n').map((part) => part.trim())) {
    if (line === '') continue
    const match = /^(\S+)\s*(?:=>|->|=)\s*(\S+)$/.exec(line)
    if (match === null) return { mapping, wrong: line }
    mapping.push({ from: match[1] ?? '', to: match[2] ?? '' })
  }
  return { mapping, wrong: undefined }
}
