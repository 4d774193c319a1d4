/** Charge factors in basis points: what the cost of a request is multiplied by to give what is billed. */
export interface ChargeFactors {
  groupChargeBp: number
  userChargeBp: number
}

const unit = 10_000n * 10_000n
const largestNano = BigInt(Number.MAX_SAFE_INTEGER)

/** What is billed for a cost in nano-USD, rounded half-up once. */
export function billedNano(costNano: number, { groupChargeBp, userChargeBp }: ChargeFactors): number {
  if (groupChargeBp === 10_000 && userChargeBp === 10_000) return costNano
  const exact = BigInt(costNano) * BigInt(groupChargeBp) * BigInt(userChargeBp)
  const nano = (exact + unit / 2n) / unit
  return Number(nano < largestNano ? nano : largestNano)
}
