import { type DestinationStream, destination, type Logger, pino } from 'pino'
import { plainLine } from './log-text.ts'
import { redactFields, redactValue } from './redaction.ts'

/** Every room logs through a child of its own: `roomLog(log, 'relay')`. */
export type Log = Logger

interface LogOptions {
  level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  /** One JSON object per line, or plain text for a terminal. */
  format?: 'json' | 'text'
  /** File to append to; standard output when absent. */
  file?: string | null
  /** Where the lines go instead, with one `write` per line. */
  to?: DestinationStream
}

/**
 * Opens the log. Secrets are removed from fields (by their names, at any depth), messages and errors before a line is
 * written. Lines are written synchronously, so that the last one before a crash is not lost: log nothing per request at info.
 */
export function createLog({ level, format = 'json', file, to }: LogOptions): Log {
  const lines =
    to ?? (file ? destination({ dest: file, mkdir: true, append: true, sync: true, mode: 0o600 }) : destination(1))
  const target = format === 'json' ? lines : { write: (line: string) => lines.write(plainLine(line)) }
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // pino's own `redact` has fixed paths only, and does not see messages and errors.
      formatters: { level: (label) => ({ level: label }), log: redactFields },
      // redactFields turns errors into plain, redacted objects.
      serializers: { err: (value: unknown) => value },
      hooks: {
        logMethod(args, method) {
          // pino would use the message of a lone error as the line's own, without any formatter.
          const [first, ...rest] = args as unknown[]
          const named =
            first instanceof Error ? [{ err: first }, ...(rest.length ? rest : ['error'])] : [first, ...rest]
          // Fields (an object as the first argument) are redacted by the formatter.
          const cleaned = named.map((arg, index) => (index === 0 && typeof arg === 'object' ? arg : redactValue(arg)))
          method.apply(this, cleaned as typeof args)
        },
      },
    },
    target,
  )
  const makeChild = Reflect.get(log, 'child') as Log['child']
  // pino does not run the formatter on the fields of a child.
  log.child = function child(this: Log, fields: object, ...rest: []) {
    return makeChild.call(this, redactFields(fields), ...rest)
  } as typeof makeChild
  return log
}

/** A child whose lines name their room. */
export function roomLog(log: Log, room: string): Log {
  return log.child({ room })
}
