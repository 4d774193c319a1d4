import type { Words } from '../words.ts'

export default {
  jobs: {
    title: '任务',
    lead: '中转自动执行的工作。',
    empty: '没有任务',
    cols: {
      name: '任务',
      last: '上次执行',
      next: '下次执行',
    },
    never: '尚未执行',
    next: '还有',
    now: '即将执行',
    every: '每 {time}',
    run: '立即执行',
    runOf: '立即执行：{name}',
    running: '执行中',
    nothingDue: '{name}：没有需要处理的内容',
    ran: '{name}：{result}',
    outcomes: {
      DONE: '完成',
      FAILED: '失败',
    },
    names: {
      probe: '恢复探测',
      release: '冷却到期',
      prune: '清理',
      drift: '账目核对',
      refresh: '令牌刷新',
      rerate: '重新计价',
    },
    texts: {
      probe: '检查状态不正常的账号是否已恢复。',
      release: '更新冷却到期的账号。',
      prune: '删除过期的状态记录、限额历史、执行记录、会话和登录尝试。',
      drift: '核对账本与统计的合计。',
      refresh: '在到期前续期访问令牌。',
      rerate: '继续由管理员发起的、对已结算请求的重新计价。',
    },
  },
} satisfies Words<typeof import('../en/jobs.ts').default>
