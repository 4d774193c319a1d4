import type { ZoneDay } from '../../zone-days.ts'
import type { Context } from '../server/context.ts'
import { readSettings, weekdays } from './settings.ts'

const days = new WeakMap<Context, Promise<ZoneDay>>()

/** The first day of the week by the settings; 0 is Sunday. */
export const weekStartOf = async ({ parts }: Context): Promise<number> =>
  (weekdays as readonly string[]).indexOf((await readSettings(parts.database)).weekStart)

/** The day on which this week began; read once an operation. */
export function weekBegin(context: Context): Promise<ZoneDay> {
  const known = days.get(context) ?? find(context)
  days.set(context, known)
  return known
}

async function find(context: Context): Promise<ZoneDay> {
  const { dayAt, now } = context.parts
  const weekStart = await weekStartOf(context)
  let day = dayAt(now())
  while (new Date(`${day.day}T00:00:00Z`).getUTCDay() !== weekStart) day = dayAt(day.startMs - 1)
  return day
}
