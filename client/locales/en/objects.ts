export default {
  platforms: {
    CLAUDE: 'Claude subscription',
    CONSOLE: 'Claude Console',
    OPENAI: 'OpenAI Chat Completions',
    CODEX: 'OpenAI Responses (Codex)',
  },
  transfer: {
    verb: 'Transfer…',
    title: 'Transfer {name}',
    text: 'Usage so far stays with the previous owner.',
    owner: 'New owner',
    confirm: 'Transfer',
  },
}
