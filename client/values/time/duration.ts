interface Units {
  ms: string
  s: string
  /** Minutes that nothing follows. */
  m: string
  /** Minutes among other units. */
  min: string
  h: string
  d: string
}

const english: Units = { ms: 'ms', s: 's', m: 'm', min: 'm', h: 'h', d: 'd' }
const chinese: Units = { ms: '毫秒', s: '秒', m: '分钟', min: '分', h: '小时', d: '天' }
const unitsOf = (language: string): Units => (language === 'zh-CN' ? chinese : english)
const two = (count: number): string => String(count).padStart(2, '0')

/** Whole seconds for reading: 10 s · 15 m · 1 h · 1 h 30 m · 7 d. */
export function plainInterval(seconds: number, language: string): string {
  const unit = unitsOf(language)
  if (seconds < 60) return `${seconds} ${unit.s}`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} ${unit.m}`
  const hours = Math.floor(minutes / 60)
  if (minutes % 60 > 0) return `${hours} ${unit.h} ${minutes % 60} ${unit.min}`
  return hours >= 48 && hours % 24 === 0 ? `${hours / 24} ${unit.d}` : `${hours} ${unit.h}`
}

/** Milliseconds for reading: 350 ms · 4.2 s · 1 m 05 s · 2 h 03 m · 3 d 04 h. */
export function shortDuration(ms: number, language: string): string {
  const unit = unitsOf(language)
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))} ${unit.ms}`
  if (ms < 60_000) return `${(Math.floor((ms + 0.5) / 100) / 10).toFixed(1)} ${unit.s}`
  const seconds = Math.floor(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} ${unit.min} ${two(seconds % 60)} ${unit.s}`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} ${unit.h} ${two(minutes % 60)} ${unit.min}`
  return `${Math.floor(hours / 24)} ${unit.d} ${two(hours % 24)} ${unit.h}`
}

/** The time left until a moment, to the second: 45 s · 1 m 05 s. Tenths would stand still between two ticks. */
export function timeLeft(ms: number, language: string): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  return seconds < 60 ? plainInterval(seconds, language) : shortDuration(seconds * 1000, language)
}

/** The time since a moment, to the second. */
export function timeSpent(ms: number, language: string): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  return seconds < 60 ? plainInterval(seconds, language) : shortDuration(seconds * 1000, language)
}
