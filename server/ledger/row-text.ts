/** Rows on their way to the database, as JSON text: the database's thread parses it. */
export interface RowText {
  /** Appends the JSON of rows, comma-separated; '' appends nothing. */
  add(json: string): void
  /** All rows as one JSON array. */
  rows(): string
  clear(): void
}

export function createRowText(): RowText {
  let texts: string[] = []
  return {
    add(json) {
      if (json !== '') texts.push(json)
    },
    rows: () => `[${texts.join(',')}]`,
    clear() {
      texts = []
    },
  }
}
