import type { Platform, Platforms } from '../platform.ts'
import { claudePlatform } from './claude/claude.ts'
import { consolePlatform } from './console/console.ts'

/** Every platform by its name. Nothing else decides by a platform's name. */
export const platforms: Platforms = {
  claude: claudePlatform,
  console: consolePlatform,
  openai: undefined,
  codex: undefined,
}

/** By a name as it was stored; undefined where nothing speaks it. */
export const platformNamed = (name: string): Platform | undefined =>
  (platforms as Record<string, Platform | undefined>)[name]
