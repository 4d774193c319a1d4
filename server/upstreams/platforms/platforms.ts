import type { Platforms } from '../platform.ts'
import { claudePlatform } from './claude/claude.ts'
import { consolePlatform } from './console/console.ts'

/** Every platform by its name. Nothing else decides by a platform's name. */
export const platforms: Platforms = {
  claude: claudePlatform,
  console: consolePlatform,
  openai: undefined,
  codex: undefined,
}
