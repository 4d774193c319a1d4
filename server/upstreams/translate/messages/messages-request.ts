import { type Fields, isFields, itemsOf, textOf, Untranslatable } from '../untranslatable.ts'

/** What is the same for every format that a Messages request is translated into. */

/** Members that change what the request means, and that no other format has. */
const impossible = ['thread', 'compaction', 'mcp_servers', 'container', 'fallbacks']

/** Refuses what would be lost in silence. Members that only tune (cache_control, service_tier, context_management …) are left out. */
export function refuseImpossible(body: Fields): void {
  for (const field of impossible) {
    const value = body[field]
    if (value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0))
      throw new Untranslatable(field, 'cannot be sent to this upstream')
  }
}

/** Zero asks Anthropic to fill its prompt cache and write nothing: another upstream can do neither. */
export function refuseMaxTokens({ max_tokens: asked }: Fields): void {
  if (asked === undefined) throw new Untranslatable('max_tokens', 'field required')
  if (asked === 0)
    throw new Untranslatable('max_tokens', 'must be at least 1: this upstream has no prompt cache to be filled ahead')
  if (typeof asked !== 'number' || !Number.isSafeInteger(asked) || asked < 0)
    throw new Untranslatable('max_tokens', 'must be a whole number from 1')
}

/** A tool with a JSON schema of the client's own. Tools that Anthropic runs, or whose schema only Anthropic knows, are refused. */
export interface ClientTool {
  name: string
  description: string
  schema: Fields
  strict: boolean
}

export function clientTools(body: Fields): ClientTool[] {
  return itemsOf(body['tools']).map((tool, index) => {
    const type = tool['type']
    if (type !== undefined && type !== null && type !== 'custom')
      throw new Untranslatable(`tools[${index}].type`, `${JSON.stringify(type)} cannot be sent to this upstream`)
    return {
      name: textOf(tool['name']),
      description: textOf(tool['description']),
      schema: schemaOf(tool['input_schema']),
      strict: tool['strict'] === true,
    }
  })
}

/** Some upstreams refuse an object schema without properties, and `$schema`. */
function schemaOf(schema: unknown): Fields {
  if (!isFields(schema)) return { type: 'object', properties: {} }
  const { $schema: _, ...rest } = schema
  return rest['type'] === 'object' && !isFields(rest['properties']) ? { ...rest, properties: {} } : rest
}

export type ToolChoice = { kind: 'auto' | 'required' | 'none' } | { kind: 'tool'; name: string }

/** Null: the client does not say. */
export function toolChoiceOf(body: Fields): { choice: ToolChoice; parallel: boolean } | null {
  const choice = body['tool_choice']
  if (!isFields(choice)) return null
  const parallel = choice['disable_parallel_tool_use'] !== true
  switch (choice['type']) {
    case 'any':
      return { choice: { kind: 'required' }, parallel }
    case 'tool':
      return { choice: { kind: 'tool', name: textOf(choice['name']) }, parallel }
    case 'none':
      return { choice: { kind: 'none' }, parallel }
    default:
      return { choice: { kind: 'auto' }, parallel }
  }
}

const budgets = [
  [2048, 'low'],
  [8192, 'medium'],
  [16_384, 'high'],
] as const

/** How much the model is to think, in the words of `reasoning_effort`; null: the client does not say. */
export function effortOf(body: Fields): string | null {
  const { thinking, output_config: output } = body
  if (isFields(thinking) && thinking['type'] === 'disabled') return 'none'
  if (isFields(output) && typeof output['effort'] === 'string') return output['effort']
  if (!isFields(thinking) || thinking['type'] !== 'enabled') return null
  const budget = Number(thinking['budget_tokens'])
  return budgets.find(([most]) => budget <= most)?.[1] ?? 'xhigh'
}

const effortOrder = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']

/** The accepted effort that is nearest to the wanted one; null when none is accepted. `none` needs `none`. */
export function nearestEffort(wanted: string, accepted: readonly string[]): string | null {
  if (accepted.includes(wanted)) return wanted
  if (wanted === 'none') return null
  const rank = (effort: string): number => effortOrder.indexOf(effort)
  const others = accepted.filter((effort) => effort !== 'none' && rank(effort) >= 0)
  const distance = (effort: string): number => Math.abs(rank(effort) - rank(wanted))
  return others.sort((one, other) => distance(one) - distance(other))[0] ?? null
}

/** The JSON schema that the output has to follow, if the client asks for one. */
export function outputSchemaOf(body: Fields): Fields | null {
  const { output_config: output } = body
  const format = isFields(output) ? output['format'] : undefined
  return isFields(format) && format['type'] === 'json_schema' && isFields(format['schema']) ? format['schema'] : null
}
