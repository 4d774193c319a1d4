import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

/** Runs with the given keys and arguments; one round trip once the server knows the text. */
export type Script = (keys: string[], args: (string | number)[]) => Promise<unknown>

/** A Lua script on a connection. A server that restarted or was flushed is told the text again. */
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
