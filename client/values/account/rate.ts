/** A share from 0 to 1 in per cent. Only all is 100 %, and only nothing is 0 %. */
export function rateText(rate: number): string {
  if (rate === 0 || rate === 1) return `${rate * 100} %`
  const percent = rate > 0.99 ? Math.floor(rate * 1000) / 10 : Math.round(rate * 100)
  return `${Math.min(99.9, Math.max(1, percent))} %`
}
