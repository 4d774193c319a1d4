export default {
  limits: {
    dailyLimit: 'Daily limit (US$)',
    weeklyLimit: 'Weekly limit (US$)',
    monthlyLimit: 'Monthly limit (US$)',
    totalLimit: 'Total limit (US$)',
    rollingLimit: 'Rolling limit (US$)',
    rollingHours: 'Rolling window (hours)',
    hint: 'Empty: no limit. The rolling limit counts what was spent in the last hours of its window.',
    title: 'Cost limits',
    chargeFactor: 'Charge factor',
    chargeFactorHint: 'What the cost of requests is multiplied by to give what is billed. 1: what they cost.',
    none: 'no limit',
    rolling: 'in {count} hour | in {count} hours',
    windows: {
      dailyLimit: 'a day',
      weeklyLimit: 'a week',
      monthlyLimit: 'a month',
      totalLimit: 'in total',
    },
  },
}
