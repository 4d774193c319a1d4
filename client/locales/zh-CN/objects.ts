import type { Words } from '../words.ts'

export default {
  platforms: {
    CLAUDE: 'Claude 订阅',
    CONSOLE: 'Claude Console',
    OPENAI: 'OpenAI Chat Completions',
    CODEX: 'OpenAI Responses（Codex）',
  },
  transfer: {
    verb: '转移…',
    title: '转移 {name}',
    text: '已产生的用量仍归原所有者。',
    owner: '新所有者',
    confirm: '转移',
  },
} satisfies Words<typeof import('../en/objects.ts').default>
