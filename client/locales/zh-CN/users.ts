import type { Words } from '../words.ts'

export default {
  users: {
    title: '用户',
    lead: '可以登录的人，以及其全部密钥的合计费用上限。',
    add: '添加用户',
    emptyTitle: '没有用户',
    emptyNext: '添加用户，为其创建密钥，或由其自行创建。',
    editTitle: '编辑用户',
    mustChange: '须先修改密码',
    cols: {
      name: '用户',
      role: '角色',
      created: '创建时间',
      enabled: '启用',
    },
    fields: {
      username: '用户名',
      email: '邮箱',
      password: '密码',
      newPassword: '新密码',
      role: '角色',
      enabled: '启用',
    },
    hints: {
      password: '至少 10 个字符。',
      newPassword: '留空则保持不变。修改后会结束其全部会话。',
      limits: '适用于此用户全部密钥的合计。',
    },
    disableTitle: '停用 {name}？',
    disableText: '该用户会被登出且无法再登录，其密钥会被拒绝。',
    disabledDone: '{name} 已停用',
  },
} satisfies Words<typeof import('../en/users.ts').default>
