/** Ready-made Claude Code settings for one key: shell lines, and the same as ~/.claude/settings.json. */
export function claudeCodeSettings(
  baseUrl: string,
  secret: string,
): { shell: string; powershell: string; json: string } {
  const env = { ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_AUTH_TOKEN: secret }
  const lines = Object.entries(env)
  return {
    shell: lines.map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`).join('\n'),
    powershell: lines.map(([name, value]) => `$env:${name} = '${value.replaceAll("'", "''")}'`).join('\n'),
    json: JSON.stringify({ env }, undefined, 2),
  }
}
