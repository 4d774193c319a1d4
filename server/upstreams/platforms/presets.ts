import type { AuthHeader, Platform } from '../../accounts/account.ts'
import type { FormatFlagChanges } from '../../accounts/format-flags.ts'

/** What the account of a vendor looks like: what its documents say, as a proposal. The secret is the person's. */
export interface AccountPreset {
  /** In files and in GraphQL. */
  name: string
  /** For people. */
  label: string
  platform: Platform
  /** With capitals where something of one's own has to stand. */
  url: string
  authHeader: AuthHeader
  /** Requested pattern → model sent. */
  modelMapping: Readonly<Record<string, string>>
  flags: FormatFlagChanges
  /** The address is in a network that an administrator has to admit. */
  isLocal: boolean
}

const preset = (
  name: string,
  label: string,
  platform: Platform,
  url: string,
  more: Partial<Pick<AccountPreset, 'authHeader' | 'modelMapping' | 'flags' | 'isLocal'>> = {},
): AccountPreset => ({
  name,
  label,
  platform,
  url,
  authHeader: 'bearer',
  modelMapping: {},
  flags: {},
  isLocal: false,
  ...more,
})

/** Opus and what is above it to the larger model, Haiku to the smaller one. */
const mapped = (large: string, small: string = large): Readonly<Record<string, string>> =>
  small === large ? { 'claude-*': large } : { 'claude-*haiku*': small, 'claude-*': large }

/**
 * Vendors with an endpoint of Anthropic's format have that one first: nothing is lost in it. Models are those of the price list
 * (protocol.md §5.3).
 */
export const accountPresets: readonly AccountPreset[] = [
  preset('anthropic', 'Anthropic API', 'console', 'https://api.anthropic.com', { authHeader: 'x-api-key' }),
  preset('glm', 'GLM (Z.ai, 智谱)', 'console', 'https://open.bigmodel.cn/api/anthropic', {
    modelMapping: mapped('glm-5.3', 'glm-5.3-flash'),
  }),
  preset('glm-international', 'GLM (Z.ai, international)', 'console', 'https://api.z.ai/api/anthropic', {
    modelMapping: mapped('glm-5.3', 'glm-5.3-flash'),
  }),
  preset('kimi', 'Kimi (Moonshot)', 'console', 'https://api.moonshot.cn/anthropic', {
    modelMapping: mapped('kimi-k3', 'kimi-k2.6'),
  }),
  preset('qwen', 'Qwen (DashScope)', 'console', 'https://dashscope.aliyuncs.com/apps/anthropic', {
    modelMapping: mapped('qwen3-coder-plus', 'qwen3-coder-flash'),
  }),
  preset('deepseek', 'DeepSeek', 'console', 'https://api.deepseek.com/anthropic', {
    modelMapping: mapped('deepseek-v4-pro', 'deepseek-v4-flash'),
  }),
  preset('minimax', 'MiniMax', 'console', 'https://api.minimaxi.com/anthropic', { modelMapping: mapped('MiniMax-M3') }),
  preset('openrouter', 'OpenRouter', 'openai', 'https://openrouter.ai/api/v1'),
  preset('deepseek-chat', 'DeepSeek (Chat Completions)', 'openai', 'https://api.deepseek.com/v1', {
    modelMapping: mapped('deepseek-v4-pro', 'deepseek-v4-flash'),
    flags: { echoReasoning: true, forcedToolChoice: false },
  }),
  preset('openai', 'OpenAI (Chat Completions)', 'openai', 'https://api.openai.com/v1', {
    modelMapping: mapped('gpt-6-sol', 'gpt-6-luna'),
  }),
  preset('openai-responses', 'OpenAI (Responses, for Codex)', 'codex', 'https://api.openai.com/v1', {
    modelMapping: mapped('gpt-6-sol', 'gpt-6-luna'),
  }),
  preset('azure', 'Azure OpenAI', 'openai', 'https://RESOURCE.openai.azure.com/openai/v1', { authHeader: 'api-key' }),
  preset('ollama', 'Ollama', 'openai', 'http://127.0.0.1:11434/v1', { isLocal: true }),
  preset('vllm', 'vLLM', 'openai', 'http://127.0.0.1:8000/v1', { isLocal: true }),
  preset('lm-studio', 'LM Studio', 'openai', 'http://127.0.0.1:1234/v1', { isLocal: true }),
  preset('relay', 'Another relay', 'console', 'https://RELAY/claude-code'),
]
