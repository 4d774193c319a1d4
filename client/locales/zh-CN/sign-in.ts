import type { Words } from '../words.ts'

export default {
  user: {
    username: '用户名',
    password: '密码',
    repeat: '再次输入密码',
    email: '邮箱（可选）',
  },
  setup: {
    title: '初始化此服务',
    lead: '创建第一个管理员。此链接只能使用一次。',
    submit: '创建管理员',
    noToken: '初始化链接缺少令牌',
    noTokenNext: '请打开服务器启动时输出的链接。在管理员创建之前，每次启动都会输出新的链接。',
    differ: '两次输入的密码不一致',
  },
  signin: {
    title: '登录',
    lead: '管理账号与密钥，实时查看请求。',
    submit: '登录',
    needsSetup: '尚无管理员。请打开服务器启动时输出的初始化链接。',
  },
  password: {
    title: '修改密码',
    lead: '其他会话会结束，当前会话继续。',
    forced: '你的密码由管理员生成。请先设置自己的密码再继续。',
    current: '当前密码',
    next: '新密码',
    submit: '修改密码',
    changed: '密码已修改',
  },
} satisfies Words<typeof import('../en/sign-in.ts').default>
