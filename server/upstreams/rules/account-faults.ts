import type { ClassificationRow, Consequence } from '../classification.ts'

// Words by which vendors say that the account is at fault, or that this account does not serve this kind of request. They
// are looked for before anything else.

const outOfCredit = {
  kind: 'refused',
  state: 'out_of_credit',
  scope: 'account',
  misconfigured: true,
  keepsText: true,
} as const
const untilDate = { ...outOfCredit, until: 'date_said' } as const
const limited = { kind: 'limited', state: 'rate_limited', scope: 'account', until: 'retry_after' } as const
const busy = { kind: 'failing', state: 'rate_limited', scope: 'account', until: 3000 } as const
const modelUnknown = { kind: 'refused', passIfLast: true, misconfigured: true } as const
const noModel = { kind: 'refused', state: 'rate_limited', scope: 'model', until: 300_000, misconfigured: true } as const
const loginLost = { kind: 'refused', state: 'reauth_required', scope: 'account', misconfigured: true } as const
/** The account is well, and does not serve this kind of request. */
const refusesRequest = { kind: 'refused', refusesRequest: true } as const

const byCode = (name: string, code: RegExp | string, means: Consequence): ClassificationRow => ({ name, code, means })
const byText = (name: string, pattern: string, means: Consequence): ClassificationRow => ({
  name,
  sentence: new RegExp(pattern, 'is'),
  means,
})

export const accountFaultRows: readonly ClassificationRow[] = [
  // ── this kind of request ──────────────────────────────────────────────────────────────────────────────────────────
  byText('extra usage required', 'extra usage is required|(requires|needs) extra usage', refusesRequest),
  byText(
    'long context not in this plan',
    'long[ -]context (beta )?(is |requests are )?not (yet )?(available|enabled|supported|included)',
    refusesRequest,
  ),
  byText(
    'only for Claude Code',
    'only (authorized|allowed|available|permitted)?.{0,40}(claude code|coding agents)',
    refusesRequest,
  ),
  // ── codes ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  { name: 'organisation on hold', status: 400, code: 'organization_on_hold', means: outOfCredit },
  {
    name: 'spend limit reached',
    status: 429,
    code: /^(enforced|contract)_spend_limit_reached$/,
    means: { kind: 'limited', state: 'out_of_credit', scope: 'account', until: 'next_month', keepsText: true },
  },
  byCode('GLM: no balance', /^(1110|1111|1112|1113|1120)$/, outOfCredit),
  byCode('GLM: plan used up', /^(1304|1308|1310)$/, untilDate),
  byCode('GLM: plan ended', '1309', outOfCredit),
  byCode('GLM: rate', /^130[23]$/, limited),
  byCode('GLM: overloaded', /^(1305|1312)$/, busy),
  byCode('GLM: model unknown', /^(1211|1221|1222)$/, modelUnknown),
  byCode('GLM: model not in this plan', /^(1220|1311)$/, noModel),
  byCode(
    'Qwen: no balance',
    /^(Arrearage|PrepaidBillOverdue|PostpaidBillOverdue|AccessDenied\.Unpurchased)$/,
    outOfCredit,
  ),
  byCode('Qwen: quota used up', /^(AllocationQuota\.FreeTierOnly|CommodityNotPurchased)$/, outOfCredit),
  byCode('Qwen: rate', /^(Throttling(\.\w+)?|limit_requests|limit_burst_rate)$/, limited),
  byCode('MiniMax: no balance', '1008', outOfCredit),
  byCode('MiniMax: plan used up', '2056', untilDate),
  byCode('MiniMax: rate', /^(1039|2045)$/, limited),
  byCode('MiniMax: model not in this plan', '2061', noModel),
  byCode(
    'quota used up',
    /^(insufficient_(user_)?quota|insufficient_balance|exceeded_current_quota(_error)?|pre_consume_token_quota_failed|quota_exceeded)$/,
    outOfCredit,
  ),
  byCode('model unknown', /^(ModelNotFound|model_not_found|InvalidModel)$/, modelUnknown),
  // ── types ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  { name: 'Kimi: no balance', type: /^(exceeded_current_quota_error|insufficient_(user_)?quota)$/, means: outOfCredit },
  { name: 'Kimi: plan used up', type: 'access_terminated_error', means: untilDate },
  { name: 'Kimi: rate', type: 'rate_limit_reached_error', means: limited },
  { name: 'Kimi: overloaded', type: 'engine_overloaded_error', means: busy },
  // ── sentences ─────────────────────────────────────────────────────────────────────────────────────────────────────
  byText(
    'spend limit of the organisation',
    'you have reached your specified (api|workspace api) usage limits',
    untilDate,
  ),
  byText(
    'no credit',
    "credit balance is too low|insufficient (account |user )?(balance|credits?|funds|quota)|(balance|credits?) (is |are )?(insufficient|exhausted|used up)|out of credits?\\b|you('re| are) out of extra usage|account .{0,60}((is|has been|was) suspended|in arrears)|(exceeded|used up) your current (token )?quota|token quota is not enough|make sure your account is in good standing",
    untilDate,
  ),
  byText('no credit (Chinese)', '余额不足|余额已用|欠费|无可用资源包|额度不足|额度已用|额度已耗尽|请充值', outOfCredit),
  byText(
    'account disabled',
    '(this|your) (account|organization) (has been |is )?(disabled|deactivated|locked)',
    outOfCredit,
  ),
  byText('account disabled (Chinese)', '(账户|账号|帐户|帐号).{0,8}(锁定|封禁|停用|冻结|非活动)', outOfCredit),
  byText(
    'plan used up',
    '(usage|weekly|monthly|daily|plan|session|billing)[^.]{0,30} (limit|quota|allowance)s?\\b[^.]{0,40}(reached|exceeded|exhausted|used up|reset)|usage limit exceeded|reached (your|the) [^.]{0,30}(usage|plan|weekly|monthly|daily) (limit|quota)|(week|month|hour|day)(ly)?[ /\\w]{0,20}(allocated quota exceeded|limit exhausted)|free tier .{0,40}(exhausted|used up)|(plan|subscription|quota|package)( \\w+){0,2} (has |is )?(expired|ended|exhausted|used up)',
    untilDate,
  ),
  byText(
    'plan used up (Chinese)',
    '套餐.{0,12}(到期|过期|用完|用尽|耗尽)|使用上限|(配额|限额|额度).{0,8}(用完|用尽|耗尽|超限|不足)',
    untilDate,
  ),
  byText('rate (Chinese)', '(并发数?|频率|速率|请求数?).{0,12}(过高|过多|超过|超限)|触发限流|请求过于频繁', limited),
  byText('overloaded (Chinese)', '(访问量|负载).{0,8}(过大|过高|饱和)', busy),
  byText('model unknown (Chinese)', '(模型|model).{0,60}(不存在|未找到|不支持|无效|已下线|无可用渠道)', modelUnknown),
  byText('model unknown', 'model not exist|not found the model|no available channel', modelUnknown),
  byText(
    'model not in this plan',
    '(plan|subscription|package)[^.]{0,30}not (support|include)[^.]{0,20}model|(套餐|订阅).{0,12}(未开放|不支持|不包含)',
    noModel,
  ),
]

/** Of a 403, or of an error with status 200: neither is ever the client's. */
export const loginLostRows: readonly ClassificationRow[] = ([403, 200] as const).map((status) => ({
  name: `login revoked (${status})`,
  status,
  sentence:
    /(token|key|login|credentials?|session|authorization|grant)\b.{0,40}\b(revoked|expired|invalid|disabled|deactivated|deleted)|(revoked|expired|invalid) .{0,20}(token|key|login|credentials?)|authentication (failed|fails)|身份验证失败|(令牌|密钥).{0,8}(过期|无效|失效|不正确)/is,
  means: loginLost,
}))
