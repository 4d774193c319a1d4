import type { Platform, Platforms } from '../platform.ts'
import { claudePlatform } from './claude/claude.ts'
import { codexPlatform } from './codex/codex.ts'
import { consolePlatform } from './console/console.ts'
import { openaiPlatform } from './openai/openai.ts'

/** Every platform by its name. Nothing else decides by a platform's name. */
export const platforms: Platforms = {
  claude: claudePlatform,
  console: consolePlatform,
  openai: openaiPlatform,
  codex: codexPlatform,
}

/** By a name as it was stored; undefined where nothing speaks it. */
export const platformNamed = (name: string): Platform | undefined =>
  (platforms as Record<string, Platform | undefined>)[name]
