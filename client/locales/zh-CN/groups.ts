import type { Words } from '../words.ts'

export default {
  groups: {
    title: '分组',
    lead: '密钥使用其分组中的账号。',
    add: '创建分组',
    emptyTitle: '还没有分组',
    emptyNext: '先创建分组，再放入账号和密钥。',
    editTitle: '编辑分组',
    cols: {
      name: '分组',
      accounts: '账号',
      keys: '密钥',
      created: '创建时间',
      enabled: '启用',
    },
    fields: {
      name: '名称',
      remark: '备注',
      enabled: '启用',
      shared: '对所有人开放',
      returnsToPriority: '会话按优先级返回',
      stripForeignReasoning: '删除其他账号的思考内容',
    },
    shared: '共享',
    hints: {
      limits: '适用于此分组全部密钥的合计。',
      shared: '所有人都可以在其中创建密钥；账号只能由所有者放入。',
      returnsToPriority: '故障转移后，会话在下一个请求时回到优先级数字更小的账号。',
      stripForeignReasoning:
        '故障转移后，从请求中删除由原账号签名的思考内容。关闭时上游会拒绝一次，Claude Code 会自行恢复。',
    },
    created: '分组 {name} 已创建。接下来请添加账号，再为它创建密钥。',
    toAccounts: '添加账号',
    toKeys: '创建密钥',
    disableTitle: '停用 {name}？',
    disableText: '其中的账号不再接收请求，其密钥的请求会被拒绝。',
    disabledDone: '{name} 已停用',
    removeTitle: '删除 {name}？',
    removeText: '仍有密钥、或有账号只服务此分组时不能删除；其他账号会从中移出。此操作无法撤销。',
    members: {
      verb: '账号',
      title: '{name} 的账号',
      none: '没有账号服务此分组。',
      remove: '移出',
      removeNamed: '将 {name} 移出分组',
      removed: '{name} 已不再服务此分组',
    },
  },
} satisfies Words<typeof import('../en/groups.ts').default>
