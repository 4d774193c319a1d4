import { type DestinationStream, destination, type Logger, pino } from 'pino'
import { plainLine } from './log-text.ts'
import { redactFields, redactValue } from './redaction.ts'

/** Every room takes a child of its own: `roomLog(log, 'relay')`. */
export type Log = Logger

interface LogOptions {
  level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  /** One JSON object a line, or plain text for a terminal. */
  format?: 'json' | 'text'
  /** File to append to; standard output when absent. */
  file?: string | null
  /** Where the lines go instead, one `write` a line. */
  to?: DestinationStream
}

/**
 * Opens the log. Secrets are taken out of fields (by their names, at any depth), messages and errors before a line is
 * made. Lines are written at once, so that the last one before a crash is not lost: keep the relay's path quiet at info.
 */
export function createLog({ level, format = 'json', file, to }: LogOptions): Log {
  const lines = to ?? (file ? destination({ dest: file, mkdir: true, append: true, sync: true }) : destination(1))
  const target = format === 'json' ? lines : { write: (line: string) => lines.write(plainLine(line)) }
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // pino's own `redact` knows fixed paths only, and reads neither messages nor errors.
      formatters: { level: (label) => ({ level: label }), log: redactFields },
      // Errors are made plain, and clean, by redactFields.
      serializers: { err: (value: unknown) => value },
      hooks: {
        logMethod(args, method) {
          // An error alone would bring its message as the line's own, past every formatter.
          const [first, ...rest] = args as unknown[]
          const named =
            first instanceof Error ? [{ err: first }, ...(rest.length ? rest : ['error'])] : [first, ...rest]
          // Fields (an object in the first place) are cleaned by the formatter.
          const cleaned = named.map((arg, index) => (index === 0 && typeof arg === 'object' ? arg : redactValue(arg)))
          method.apply(this, cleaned as typeof args)
        },
      },
    },
    target,
  )
  const makeChild = Reflect.get(log, 'child') as Log['child']
  // pino runs no formatter over the fields of a child.
  log.child = function child(this: Log, fields: object, ...rest: []) {
    return makeChild.call(this, redactFields(fields), ...rest)
  } as typeof makeChild
  return log
}

/** A child whose lines name the room they come from. */
export function roomLog(log: Log, room: string): Log {
  return log.child({ room })
}
