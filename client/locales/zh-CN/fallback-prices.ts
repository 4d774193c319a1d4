import type { Words } from '../words.ts'

export default {
  fallbackPrices: {
    title: '没有价格的模型',
    lead: '没有价格卡包含这些模型，其请求按后备价格卡计费。',
    range: '天数',
    days: '{count} 天',
    none: '所有请求都有自己的价格',
    noneNext: '没有价格卡的模型及其费用会显示在这里。',
    cols: {
      model: '计费的模型',
      requests: '请求数',
      tokens: 'Token 入 / 出',
      cost: '费用',
      last: '最近一次',
    },
  },
} satisfies Words<typeof import('../en/fallback-prices.ts').default>
