/**
 * Names under which gateways sell a model that has a card (design.md §4). Each rule cuts one declared part, and what is left must
 * have an exact card: nothing is ever matched by a mere prefix.
 */
const rules = [
  // Claude Code marks the long context so.
  ['context_mark', /\[1m\]$/],
  // The service in front, as proxies write it.
  ['platform_prefix', /^(?:vertex_ai|vertex|bedrock|azure|models)\//],
  // Bedrock: arn:aws:bedrock:…:inference-profile/us.anthropic.claude-…-v1:0.
  ['bedrock_arn', /^arn:aws[\w-]*:bedrock:[\w:-]*\/(?=[a-z])/],
  ['region_prefix', /^(?:us|eu|apac|au|jp|ca|sa|me|us-gov|global)\.(?=[a-z]+\.)/],
  ['version_suffix', /(?:-v\d+)?(?::\d+)(?::\d+k|:mm)?$/],
  ['version_suffix', /-v\d+$/],
  ['vendor_prefix', /^(?:anthropic|deepseek|qwen|moonshot(?:ai)?|minimax|zai|openai)\.(?=[a-z])/],
  // Vertex: projects/p/locations/l/publishers/anthropic/models/claude-…@20250929.
  ['vertex_path', /^(?:projects\/[\w-]+\/locations\/[\w-]+\/)?publishers\/[\w-]+\/models\//],
  ['latest_suffix', /@(?:default|latest)$/],
  // Vendors in front, as routers write them.
  [
    'vendor_prefix',
    /^~?(?:openrouter\/)?(?:vertex_ai\/|vertex\/|bedrock\/|azure\/|models\/)?(?:anthropic|claude|openai|deepseek(?:-ai)?|z-?ai(?:-org)?|zhipu(?:ai)?|thudm|moonshot(?:ai)?|kimi|qwen|alibaba|minimax(?:ai)?|google|x-ai)\//,
  ],
  // Claude Code lists only models whose names hold claude: those of others are offered so.
  ['offered_name', /^claude-via-/],
  ['variant_suffix', /:(?:free|thinking|beta|nitro|floor|extended|exacto)$/],
  // A snapshot: Anthropic's -20250929, Vertex's @20250929, OpenAI's -2025-08-07, and -latest.
  ['snapshot_date', /(?:[-@]20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|-20\d\d-(?:0[1-9]|1[0-2])-\d\d|-latest)$/],
] as const

export type AliasRule = (typeof rules)[number][0] | 'version_point'
export const aliasRules = [...new Set<AliasRule>([...rules.map(([rule]) => rule), 'version_point'])]

/** Names that a name is an alias of, in the order in which they are looked up, each with the rule that led to it. */
export function aliasSteps(name: string): { rule: AliasRule; name: string }[] {
  const found: { rule: AliasRule; name: string }[] = []
  let rest = name
  for (const [rule, what] of rules) {
    const cut = rest.replace(what, '')
    if (cut === rest || cut === '') continue
    rest = cut
    found.push({ rule, name: rest })
  }
  // Vendors write the numbers of versions with a point, too.
  if (/^claude-.*\d\.\d/.test(rest)) found.push({ rule: 'version_point', name: rest.replaceAll('.', '-') })
  return found
}

/** The same names alone. */
export const aliasesOf = (name: string): string[] => aliasSteps(name).map((step) => step.name)
