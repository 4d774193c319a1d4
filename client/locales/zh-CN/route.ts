import type { Words } from '../words.ts'

export default {
  route: {
    title: '路由过程',
    forgotten: '只保留最近请求的路由过程。',
    choice: '第 {number} 次选择',
    nobody: '分组里没有账号。',
    others: '你看不到的 {count} 个账号',
    until: '直到 {time}',
    simulate: '模拟路由',
    run: '模拟',
    simulateTitle: '模拟 {name} 的请求',
    simulateText: '显示一个新会话此刻会路由到哪个账号，不会真正发送请求。',
    reasons: {
      CHOSEN: '选中',
      DISABLED: '已停用',
      AT_CONCURRENCY_LIMIT: '已达并发上限',
      NOT_DRAWN: '按权重抽中了别的账号',
      FORMAT_UNFIT: '其协议格式无法表达此请求',
      LOWER_PRIORITY: '优先级靠后',
      MODEL_NOT_ALLOWED: '不提供该模型',
      AT_MAX_UTILIZATION: '用量已达账号设定的上限',
      NOT_READY: '状态不正常',
      SESSION_ELSEWHERE: '会话保持在别的账号',
      ALREADY_TRIED: '已尝试过',
    },
    keyProblems: {
      key_disabled: '密钥或其所有者已停用。',
      key_expired: '密钥已过期。',
      model_not_allowed: '该密钥不允许使用此模型。',
    },
    model: '模型',
  },
} satisfies Words<typeof import('../en/route.ts').default>
