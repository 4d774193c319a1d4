import type { Words } from '../words.ts'

export default {
  limits: {
    dailyLimit: '每日上限（美元）',
    weeklyLimit: '每周上限（美元）',
    monthlyLimit: '每月上限（美元）',
    totalLimit: '累计上限（美元）',
    rollingLimit: '滚动上限（美元）',
    rollingHours: '滚动窗口（小时）',
    hint: '留空则不限。滚动上限统计窗口内最近若干小时的费用。',
    title: '费用上限',
    chargeFactor: '计费系数',
    chargeFactorHint: '请求费用乘以此系数得到计费金额。1 表示按费用计。',
    none: '不限额',
    rolling: '{count} 小时内',
    windows: {
      dailyLimit: '每日',
      weeklyLimit: '每周',
      monthlyLimit: '每月',
      totalLimit: '累计',
    },
  },
} satisfies Words<typeof import('../en/limits.ts').default>
