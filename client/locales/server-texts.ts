import { useI18n } from 'vue-i18n'

/**
 * The server's sentences in Chinese, beside fields and in messages. A `{}` stands for whatever the server put in, in its
 * order. What is not here, such as an upstream's own words, is shown as it came.
 */
const chinese: Record<string, string> = {
  // Beside a field.
  'is missing': '缺少此项',
  'is missing: give the account one first': '缺少密钥：请先为账号设置密钥',
  'is missing: a rule needs a status, an error type, a code or a text':
    '规则至少需要状态码、错误类型、代码或文本中的一项',
  'is missing: the rule is new': '新规则需要此项',
  'is needed here: clients bring such answers about by themselves. Name a code, an error type of its own, or the beginning of the text (without * in front)':
    '此处必填：客户端自身也会引起这类回答。请填写代码、专有的错误类型，或文本的开头（前面不加 *）',
  'is taken': '已被占用',
  'is wrong': '不正确',
  'is too long': '太长',
  'is nobody here': '没有这个用户',
  'is not a setting': '没有这个设置',
  'is not a JSON object': '不是 JSON 对象',
  'is not supported yet': '尚不支持',
  'is not valid any more: every start of the relay prints a new link': '已失效：服务器每次启动都会输出新的链接',
  'is decided by administrators': '只能由管理员决定',
  'is for accounts of the platform CLAUDE': '仅用于 Claude 订阅账号',
  'cannot be empty': '不能为空',
  'cannot be used; choose another': '不能使用，请换一个',
  'cannot be used: {}': '无法使用：{}',
  'cannot stand beside a login': '不能与登录同时填写',
  'cannot stand beside {}': '不能与 {} 同时填写',
  'could not be used: {}': '无法使用：{}',
  'was not taken: {} Begin again': '未被接受：{}请重新开始',
  'belongs to an accessToken': '只能与访问令牌一起填写',
  'belongs to another user': '已被其他用户使用',
  'belongs to no sign-in that you began within the last ten minutes: begin again':
    '不属于您在十分钟内开始的登录，请重新开始',
  'has too many entries': '条目太多',
  'has neither claudeAiOauth nor access_token: it is no credentials file':
    '既没有 claudeAiOauth 也没有 access_token，不是凭据文件',
  'has no object under claudeAiOauth': 'claudeAiOauth 下没有对象',
  'has no time in {}': '{} 不是时间',
  'has no usable {}': '{} 缺失或不可用',
  'names a model twice': '同一模型出现了两次',
  'needs one of {}': '需要以下之一：{}',
  'must be 0 to 24': '须为 0 到 24',
  'must be a date and time with a zone, such as 2027-01-31T00:00:00Z': '须为带时区的时间，例如 2027-01-31T00:00:00Z',
  'must be groups of yours': '须为您自己的分组',
  'needs a group': '至少需要一个分组',
  'must be a group of yours or a shared one': '须为您自己的分组或共享分组',
  'must be a list of networks such as 10.0.0.0/8, ::1/128; wrong: {}':
    '须为网段列表，例如 10.0.0.0/8、::1/128；有误：{}',
  'must be a range from the smaller to the larger status': '范围须从小到大',
  'must be a status such as 400, a range such as 500-599, or event': '须为状态码（如 400）、范围（如 500-599）或 event',
  'must be a status such as 400, or event': '须为状态码（如 400）或 event',
  'must be a whole number of seconds from 1 to 9999': '须为 1 到 9999 的整数秒',
  'must be active or passive': '须为 active 或 passive',
  'must be an amount such as "12.50", with at most 9 digits after the point': '须为金额，例如 12.50，最多 9 位小数',
  'must be an e-mail address': '须为邮箱地址',
  'must be an http:// or https:// address': '须为 http:// 或 https:// 地址',
  'must be another one than now': '须与当前密码不同',
  'must be another one: an error within an answer with 200 is event': '须为其他值：200 回答中的错误用 event 表示',
  'must be another one: an error within an answer with 200 is `event`': '须为其他值：200 回答中的错误用 event 表示',
  'must be at least {}': '不能小于 {}',
  'must be at most 9000000 USD': '不能超过 9000000 美元',
  'must be at most 2678400, which is 31 days': '不能超过 31 天',
  'must be at most {}': '不能大于 {}',
  'must be CODE#STATE as the page shows it, or the address that the page went to':
    '须为页面显示的 CODE#STATE，或页面跳转到的地址',
  'must be empty: only limits and missing funds have an end of their own': '须留空：只有限流和余额不足有自己的期限',
  'must be from 400 to 599 without 401, 402, 403, 407 and 429: those are about the account':
    '须在 400 到 599 之间，且不含 401、402、403、407 和 429：这些与账号有关',
  'is too long altogether': '合计过长',
  'must hold no control characters': '不能包含控制字符',
  'must be given again, since the {} changed': '{} 已改变，须重新填写',
  'must be given again, since a proxy of an http:// address reads it': '须重新填写：http:// 地址的代理能读到它',
  'must be http://, https://, socks5:// or socks5h://, with host and port, and user:password@ if needed':
    '须为 http://、https://、socks5:// 或 socks5h:// 地址，包含主机和端口，可含用户名和密码',
  'must be http://, https://, socks5:// or socks5h://, with host and port, and user:password@ if needed; or none':
    '须为 http://、https://、socks5:// 或 socks5h:// 地址，包含主机和端口，可含用户名和密码；或 none',
  'must be printable ASCII without spaces': '须为不含空格的可见 ASCII 字符',
  'must be the account: only a limit can be of models': '须为整个账号：只有限流可以针对模型',
  'must be the name of a model': '须为模型名称',
  'must be "console" or "claude", the platforms known so far': '须为目前已知的平台 "console" 或 "claude"',
  'must be in quotes, such as "12.50": amounts are decimal text': '须写成带引号的十进制文本，如 "12.50"',
  'must be the name of a model, or a pattern with *, without spaces': '须为模型名称或带 * 的模式，不含空格',
  'must be the name of a model, without * and spaces': '须为模型名称，不含 * 和空格',
  'must be true: read the notice first': '须先阅读告知',
  'must have 1 to 100 characters': '须为 1 到 100 个字符',
  'must have 1 to 300 characters on one line, and * for anything': '须为单行 1 到 300 个字符，* 代表任意内容',
  'must have 1 to 64 letters, digits, or . _ @ -, and begin with a letter or digit':
    '须为 1 到 64 个字母、数字或 . _ @ -，以字母或数字开头',
  'must have 1 to 80 letters, digits, or _ . - and * for anything': '须为 1 到 80 个字母、数字或 _ . -，* 代表任意内容',
  'must have at least {} characters': '至少 {} 个字符',
  'must have at most 60 letters, digits, spaces, or . + - _': '最多 60 个字母、数字、空格或 . + - _',
  'must have at most {} characters': '最多 {} 个字符',
  'must hold no control characters and no space at its ends': '不能含控制字符，首尾不能有空格',
  'must hold no query and no fragment': '不能含查询参数或片段',
  'must hold no user or password': '不能含用户名或密码：密钥请填在密钥一栏',
  'must name at least one model; ["*"] allows every model': '至少填写一个模型；* 允许全部',
  'must not be digits only': '不能全是数字',
  'must start with sk-, have at least 20 characters, printable ASCII without spaces':
    '须以 sk- 开头，至少 20 个可见 ASCII 字符，不含空格',
  // Above a form, or in passing.
  'Claude subscription accounts are off. An administrator can turn them on in the settings.':
    'Claude 订阅账号已关闭，管理员可以开启。',
  'Choose another password first.': '请先修改密码。',
  'Many are signing in just now. Try again in a moment.': '登录的人太多，请稍后重试。',
  'Sign in first.': '请先登录。',
  'The {}: there is nothing to look for.': '{}，无需探测。',
  'account is ready': '账号可用',
  'model does not rest there': '该模型没有休息',
  'The group still has {} API {}. Move or delete them first.': '分组中还有 {} 个 API {}，请先移走或删除。',
  'The group still has {} {}. Move or delete them first.': '分组中还有 {} 个{}，请先移走或删除。',
  'The account serves no other group. Move or delete it.': '该账号只服务这一个分组，请移走或删除它。',
  account: '账号',
  accounts: '账号',
  key: '密钥',
  keys: '密钥',
  'The job runs already.': '任务正在执行。',
  'The name or the password is wrong, or the account is disabled.': '用户名或密码不正确，或账号已停用。',
  'The rules have changed meanwhile. Read them again, then put them in order.': '规则已被他人修改，请刷新后再排序。',
  'The session is over. Sign in again.': '会话已结束，请重新登录。',
  'There are {} rules, the most there can be. Delete some first.': '规则已达上限 {} 条，请先删除一些。',
  'There is an administrator already. Sign in instead.': '管理员已经存在，请直接登录。',
  'There is no such {}.': '该对象不存在，或您无权查看。',
  'This is for administrators.': '仅限管理员。',
  'This is the last administrator who can sign in. Make another one first.':
    '这是最后一个可以登录的管理员，请先添加另一个。',
  'Too many tries to sign in. Try again in {} s.': '登录尝试过多，请在 {} 秒后重试。',
  'Too many tries to sign in. Try again in {} min.': '登录尝试过多，请在 {} 分钟后重试。',
  'Too many tries to sign in. Try again in {}.': '登录尝试过多，请在 {} 后重试。',
  'Something went wrong on our side. The log has it under {}.': '服务器出错，日志编号 {}。',
  // What probes, tests, logins and jobs came to.
  'It answered.': '已有应答。',
  '{} answered.': '{} 已应答。',
  'The account is gone.': '账号已不存在。',
  'The login has ended.': '登录已失效。',
  'No model of this account is known.': '不知道此账号有哪些模型。',
  'This account cannot be asked for that model.': '无法向此账号请求该模型。',
  'The relay is stopping.': '服务正在停止。',
  'The refresh could not be begun or stored.': '续期无法开始或无法保存。',
  'The token endpoint answered without an access token.': '令牌接口的回答中没有访问令牌。',
  'The token endpoint answered {}.': '令牌接口回答 {}。',
  'The token endpoint could not be asked: {}.': '无法访问令牌接口：{}。',
  '{} asked, {} back': '探测 {} 个，恢复 {} 个',
  '{} rests ended': '{} 个休息已结束',
  '{} steps of timelines, {} points of gauges, {} runs, {} sessions, {} sign-in tries deleted':
    '已删除 {} 条状态记录、{} 个限额点、{} 条执行记录、{} 个会话、{} 次登录尝试',
  'ledger and rollups agree': '账本与统计一致',
  '{} sums of ledger and rollups differ': '账本与统计有 {} 处不一致',
  'it took too long and was ended': '耗时过长，已被终止',
}

interface Pattern {
  regex: RegExp
  text: string
}

const patterns: Pattern[] = Object.entries(chinese)
  .filter(([sentence]) => sentence.includes('{}'))
  .map(([sentence, text]) => ({
    regex: new RegExp(`^${sentence.split('{}').map(escaped).join('(.+)')}$`, 's'),
    text,
  }))

/** A sentence of the server in the reader's language; as it came where there are no words for it. */
export function serverText(language: string, sentence: string): string {
  if (language !== 'zh-CN' || sentence === '') return sentence
  const whole = Object.hasOwn(chinese, sentence) ? chinese[sentence] : undefined
  if (whole !== undefined) return whole
  for (const { regex, text } of patterns) {
    const parts = regex.exec(sentence)?.slice(1)
    if (parts) return text.replaceAll('{}', () => serverText(language, parts.shift() ?? ''))
  }
  return sentence
}

/** The same for a page, in the language that it speaks at the moment. */
export function useServerText(): (sentence: string) => string {
  const { locale } = useI18n()
  return (sentence) => serverText(locale.value, sentence)
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
