/** Scripts for Claude Code's status line. They need nothing installed; the key is the one that Claude Code uses. */

const body = '{"query":"{ myKey { statusLine } }"}'

export const shellStatusLine = (origin: string): string => `#!/bin/sh
# Prints what is left of your key. Claude Code sets ANTHROPIC_AUTH_TOKEN.
curl -sS -m 3 '${origin}/graphql/key' -H "x-api-key: $ANTHROPIC_AUTH_TOKEN" -H 'content-type: application/json' \\
  -d '${body}' | sed -n 's/.*"statusLine":"\\([^"]*\\)".*/\\1/p'
`

export const powershellStatusLine = (
  origin: string,
): string => `# Prints what is left of your key. Claude Code sets ANTHROPIC_AUTH_TOKEN.
$answer = Invoke-RestMethod -Method Post -TimeoutSec 3 -Uri '${origin}/graphql/key' -ContentType 'application/json' \`
  -Headers @{ 'x-api-key' = $env:ANTHROPIC_AUTH_TOKEN } -Body '${body}'
$answer.data.myKey.statusLine
`

/** What goes into settings.json of Claude Code. */
export function settingsOf(system: 'shell' | 'powershell'): string {
  const command =
    system === 'shell'
      ? 'sh ~/.claude/relay-status.sh'
      : 'powershell -NoProfile -File "%USERPROFILE%\\.claude\\relay-status.ps1"'
  return JSON.stringify({ statusLine: { type: 'command', command } }, null, 2)
}
