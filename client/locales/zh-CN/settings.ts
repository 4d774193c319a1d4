import type { Words } from '../words.ts'

export default {
  settings: {
    title: '设置',
    lead: '在所有进程中立即生效。',
    general: '通用',
    systemName: '部署名称',
    limits: '费用上限',
    ending: '进行中的请求达到上限时',
    whenLimitReached: {
      FINISH: '允许完成',
      STOP: '立即停止',
    },
    endingHints: {
      FINISH: '新请求会被拒绝；进行中的请求可以完成，可能超出上限。',
      STOP: '达到上限时，流式响应以错误事件结束。',
    },
    weekStart: '每周上限的起始日',
    resetHour: '重置时刻（点）',
    resetHourHint: '每日、每周和每月上限在部署时区的此时刻重新开始。',
    recovery: '账号恢复',
    probes: '如何得知账号已恢复',
    recoveryProbes: {
      ACTIVE: '主动发送很短的请求',
      PASSIVE: '由客户端的请求试探',
    },
    probeHints: {
      ACTIVE: '定时询问未就绪的账号，不计入任何密钥。',
      PASSIVE: '没有恢复日期的账号，偶尔也会收到一个请求。',
    },
    probeSeconds: '首次探测间隔（秒）',
    probeSecondsHint: '之后每次探测的间隔加倍。',
    weekdays: {
      MONDAY: '星期一',
      TUESDAY: '星期二',
      WEDNESDAY: '星期三',
      THURSDAY: '星期四',
      FRIDAY: '星期五',
      SATURDAY: '星期六',
      SUNDAY: '星期日',
    },
    prices: '价格',
    pricesText: '没有价格卡的模型，其请求按后备价格卡计费。',
    toFallbackPrices: '没有价格的模型',
  },
} satisfies Words<typeof import('../en/settings.ts').default>
