import { hash } from 'node:crypto'

const maxName = 64

/** Names of tools as Chat Completions and Responses accept them: letters, digits, `_` and `-`, at most 64. */
export function createToolNames() {
  const originals = new Map<string, string>()
  return {
    /** The name to send. A name that does not fit gets a short one that is the same in every request. */
    sent(name: string): string {
      if (name.length <= maxName && /^[a-zA-Z0-9_-]+$/.test(name)) return name
      const short = `${name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 50)}_${hash('sha256', name).slice(0, 12)}`
      originals.set(short, name)
      return short
    },
    /** The client's own name of a tool that the model called. */
    original: (name: string): string => originals.get(name) ?? name,
  }
}

export type ToolNames = ReturnType<typeof createToolNames>
