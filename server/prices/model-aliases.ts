/**
 * Names under which gateways sell a model that has a card (design.md §4). Each rule cuts one declared part, and what is left must
 * have an exact card: nothing is ever matched by a mere prefix.
 */
const rules: readonly [what: RegExp, instead: string][] = [
  // Claude Code marks the long context so.
  [/\[1m\]$/, ''],
  // The service in front, as proxies write it.
  [/^(?:vertex_ai|vertex|bedrock|azure|models)\//, ''],
  // Bedrock: arn:aws:bedrock:…:inference-profile/us.anthropic.claude-…-v1:0.
  [/^arn:aws[\w-]*:bedrock:[\w:-]*\/(?=[a-z])/, ''],
  [/^(?:us|eu|apac|au|jp|ca|sa|me|us-gov|global)\.(?=[a-z]+\.)/, ''],
  [/(?:-v\d+)?(?::\d+)(?::\d+k|:mm)?$/, ''],
  [/-v\d+$/, ''],
  [/^(?:anthropic|deepseek|qwen|moonshot(?:ai)?|minimax|zai|openai)\.(?=[a-z])/, ''],
  // Vertex: projects/p/locations/l/publishers/anthropic/models/claude-…@20250929.
  [/^(?:projects\/[\w-]+\/locations\/[\w-]+\/)?publishers\/[\w-]+\/models\//, ''],
  [/@(?:default|latest)$/, ''],
  // Vendors in front, as routers write them.
  [
    /^~?(?:openrouter\/)?(?:vertex_ai\/|vertex\/|bedrock\/|azure\/|models\/)?(?:anthropic|claude|openai|deepseek(?:-ai)?|z-?ai(?:-org)?|zhipu(?:ai)?|thudm|moonshot(?:ai)?|kimi|qwen|alibaba|minimax(?:ai)?|google|x-ai)\//,
    '',
  ],
  // Claude Code lists only models whose names hold claude: those of others are offered so.
  [/^claude-via-/, ''],
  [/:(?:free|thinking|beta|nitro|floor|extended|exacto)$/, ''],
  // A snapshot: Anthropic's -20250929, Vertex's @20250929, OpenAI's -2025-08-07, and -latest.
  [/(?:[-@]20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|-20\d\d-(?:0[1-9]|1[0-2])-\d\d|-latest)$/, ''],
]

/** In the order in which they are looked up; without the name itself. */
export function aliasesOf(name: string): string[] {
  const found: string[] = []
  let rest = name
  for (const [what, instead] of rules) {
    const cut = rest.replace(what, instead)
    if (cut === rest || cut === '') continue
    rest = cut
    found.push(rest)
  }
  // Vendors write the numbers of versions with a point, too.
  if (/^claude-.*\d\.\d/.test(rest)) found.push(rest.replaceAll('.', '-'))
  return found
}
