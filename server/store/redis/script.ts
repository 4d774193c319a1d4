import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

/** Runs the script with these keys and arguments: one round trip once the server knows its text. */
export type Script = (keys: string[], args: (string | number)[]) => Promise<unknown>

/** A Lua script on a connection. The text is sent again when the server has lost it. */
export function createScript(redis: Redis, lua: string): Script {
  const sha = createHash('sha1').update(lua).digest('hex')
  return async (keys, args) => {
    try {
      return await redis.evalsha(sha, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return await redis.eval(lua, keys.length, ...keys, ...args)
    }
  }
}
