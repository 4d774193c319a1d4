import { randomBytes } from 'node:crypto'
import type { MessageWriter } from '../messages/message-writer.ts'
import type { ToolNames } from '../messages/tool-names.ts'
import { type Fields, isFields, isJsonObject, itemsOf, textOf } from '../untranslatable.ts'

interface Call {
  id: string
  name: string
  /** Arguments so far. */
  json: string
  /** Characters of `json` that were written. */
  written: number
}

/**
 * Tool calls of a Chat Completions stream, written one block after another: SDKs mix up blocks that are open at the same
 * time. The first call is written as it arrives; later ones wait until it is complete.
 */
export function createChatToolCalls(writer: MessageWriter, names: ToolNames) {
  const calls: Call[] = []
  const byIndex = new Map<unknown, Call>()
  const ids = new Set<string>()
  /** Calls before this one are closed. */
  let current = 0
  let isOpen = false

  function callOf(delta: Fields, position: number): Call {
    const key = delta['index'] ?? (textOf(delta['id']) || position)
    const id = textOf(delta['id'])
    const known = byIndex.get(key)
    // Several vendors send index 0 for every call: another id is another call.
    if (known && (id === '' || id === known.id || known.id === '')) {
      if (known.id === '' && id !== '' && !isOpenCall(known)) known.id = id
      return known
    }
    const call: Call = { id, name: '', json: '', written: 0 }
    byIndex.set(key, call)
    calls.push(call)
    return call
  }

  const isOpenCall = (call: Call): boolean => isOpen && calls[current] === call

  function openCurrent(): void {
    const call = calls[current]!
    call.id = uniqueId(call.id)
    writer.openTool(call.id, names.original(call.name))
    isOpen = true
  }

  /** Tool ids may hold letters, digits, `_` and `-`, each once in a message. */
  function uniqueId(given: string): string {
    const clean = given.replace(/[^a-zA-Z0-9_-]/g, '_') || `toolu_${randomBytes(12).toString('hex')}`
    const id = ids.has(clean) ? `${clean}_${ids.size}` : clean
    ids.add(id)
    return id
  }

  function writeCurrent(): void {
    const call = calls[current]!
    if (!isOpen && call.name !== '') openCurrent()
    if (!isOpen) return
    writer.toolInput(call.json.slice(call.written))
    call.written = call.json.length
  }

  /** False: the call has no name, or what came as arguments is no JSON, and a client would break on it. */
  function closeCurrent(mayBeTorn = false): boolean {
    const call = calls[current]!
    const isNothing = call.name === '' && call.id === '' && call.json === ''
    if (call.json.trim() === '') call.json = '{}'
    if (!isNothing && (call.name === '' || !(mayBeTorn || isJsonObject(call.json)))) return false
    writeCurrent()
    if (isOpen) writer.closeBlock()
    isOpen = false
    current++
    return true
  }

  return {
    /** Takes `delta.tool_calls`. */
    push(deltas: unknown): void {
      for (const [position, delta] of itemsOf(deltas).entries()) {
        const call = callOf(delta, position)
        const fn = isFields(delta['function']) ? delta['function'] : {}
        if (call.name === '') call.name = textOf(fn['name'])
        call.json = appended(call.json, fn['arguments'])
        // A later call has begun: those before it that are complete end.
        while (calls.indexOf(call) > current && isJsonObject(calls[current]!.json || '{}')) closeCurrent()
        if (calls[current] === call) writeCurrent()
      }
    },
    /**
     * Writes what is left. `mayBeTorn`: the output reached its limit, perhaps within a call. False: a call has no name, or its
     * arguments are no JSON.
     */
    finish(mayBeTorn: boolean): boolean {
      while (current < calls.length) if (!closeCurrent(mayBeTorn)) return false
      return true
    },
    /** True where the last call is not whole. */
    isTorn: () => calls.length > 0 && !isJsonObject(calls.at(-1)!.json),
    count: () => calls.length,
    /** Characters of all calls so far. */
    chars: () => calls.reduce((sum, { name, json }) => sum + name.length + json.length, 0),
  }
}

/** Some vendors send the whole arguments again each time, or an object. */
function appended(json: string, more: unknown): string {
  if (isFields(more)) return JSON.stringify(more)
  const text = textOf(more)
  if (json.length > 1 && text.length > json.length && text.startsWith(json)) return text
  return json + text
}
