/** Every reason for which the relay refuses what a person gives it: a closed set of codes, with its English text. */

/**
 * What may be wrong with a field: a clause that stands behind its name. `{name}` is a value. Schemas give the code as
 * their message; `readIssue` (field-values.ts) makes the clause of it. No clause repeats what was given, because it may be a secret.
 */
const clauses = {
  ADMINISTRATORS_ONLY: 'is decided by administrators',
  AMOUNT_MALFORMED: 'must be an amount such as "12.50", with at most 9 digits after the point',
  AMOUNT_NOT_TEXT: 'must be in quotes, such as "12.50": amounts are decimal text',
  AMOUNT_TOO_LARGE: 'must be at most 9000000 USD',
  BESIDE_ACCESS_TOKEN: 'cannot stand beside an accessToken',
  BESIDE_LOGIN: 'cannot stand beside a login',
  CLAUDE_ACCOUNTS_OFF:
    'cannot be used: Claude subscription accounts are off. An administrator can turn them on in the settings.',
  CLIENT_PATTERN_MALFORMED: 'must have 1 to 120 characters of ASCII, and * for anything',
  CONTROL_CHARACTERS: 'must hold no control characters',
  CREDENTIALS_FILE_FOREIGN: 'has neither claudeAiOauth nor access_token: it is no credentials file',
  CREDENTIALS_FILE_INCOMPLETE: 'has no usable {name}',
  CREDENTIALS_FILE_NOT_JSON: 'is not a JSON object',
  DATES_OVERLAP: 'overlaps the price that holds from {from} to {to}: choose other dates, or edit that one',
  DIGITS_ONLY: 'must not be digits only',
  DURATION_NOT_ALLOWED: 'must be empty: only limits and missing funds have an end of their own',
  EMAIL_MALFORMED: 'must be an e-mail address',
  EMAIL_TAKEN: 'belongs to another user',
  EMPTY: 'cannot be empty',
  ENDS_BEFORE_BEGIN: 'must be after the begin',
  ERROR_WORD_MALFORMED: 'must have 1 to 80 letters, digits, or _ . - and * for anything',
  FACTOR_MALFORMED: 'must be a factor from 0 to 100 such as "0.85", with at most 4 digits after the point',
  FACTOR_ZERO: 'must be more than 0: it would make everything free',
  GROUP_MISSING: 'needs a group',
  GROUP_NOT_USABLE: 'must be a group of yours or a shared one',
  GROUP_TWICE: 'names a group twice',
  GROUPS_NOT_YOURS: 'must be groups of yours',
  HEADER_NAME_MALFORMED: 'must be the name of a header: letters, digits and -',
  HEADER_NOT_ALLOWED: 'is a header that an account cannot set',
  HEADER_TWICE: 'names a header twice',
  HEADER_VALUE_MALFORMED: 'must be printable ASCII, without spaces at its ends',
  INVALID: 'is not valid',
  LENGTH_OUT_OF_RANGE: 'must have {min} to {max} characters',
  LOGIN_CODE_MALFORMED: 'must be CODE#STATE as the page shows it, or the address that the page went to',
  LOGIN_CODE_REFUSED: 'was not taken: {reason} Begin again',
  LOGIN_CODE_UNKNOWN: 'belongs to no sign-in that you began within the last ten minutes: begin again',
  LOGIN_CODE_UNSENT: 'could not be used: {reason}',
  LOGIN_NOT_FOR_PLATFORM: 'is for accounts of the platform CLAUDE',
  MISSING: 'is missing',
  MODEL_MALFORMED: 'must be the name of a model, without * and spaces',
  MODEL_MISSING: 'must name at least one model; ["*"] allows every model',
  MODEL_PATTERN_MALFORMED: 'must be the name of a model, or a pattern with *, without spaces',
  MODEL_TWICE: 'names a model twice',
  MOMENT_MALFORMED: 'must be a date and time with a zone, such as 2027-01-31T00:00:00Z',
  NAME_SPACED: 'must hold no control characters and no space at its ends',
  MODEL_NOT_IN_FILE: 'names a model of which the file has no usable price: {model}',
  MULTIPLIER_OR_RATES: 'needs either a multiplier or tiers with rates',
  NEGATIVE: 'must not be negative',
  NETWORK_MALFORMED: 'must be an address or a network such as 10.0.0.0/8',
  NETWORKS_MALFORMED: 'must be a list of networks such as 10.0.0.0/8, ::1/128; wrong: {wrong}',
  NOTICE_UNREAD: 'must be true: read the notice first',
  NOT_PRINTABLE: 'must be printable ASCII without spaces',
  PASSWORD_SAME: 'must be another one than now',
  PATTERN_MALFORMED: 'must have 1 to 300 characters on one line, and * for anything',
  PLAN_MALFORMED: 'must have at most 60 letters, digits, spaces, or . + - _',
  PLATFORM_UNKNOWN: 'must be "console", "claude", "openai" or "codex"',
  PRICE_FILE_FOREIGN: 'is no price file: it has neither the shape of LiteLLM nor that of models.dev',
  PRICE_FILE_NOT_JSON: 'is no price file: it is not JSON',
  PROXY_MALFORMED:
    'must be http://, https://, socks5:// or socks5h://, with host and port, and user:password@ if needed; or none',
  RATE_MALFORMED: 'must be US dollars per million tokens such as "3.75", with at most 6 digits after the point',
  RULE_MATCHES_ALL: 'is missing: a rule needs a status, an error type, a code or a text',
  RULE_TOO_WIDE:
    'is needed here: clients bring such answers about by themselves. Name a code, an error type of its own, or the beginning of the text (without * in front)',
  SAMPLE_STATUS_MALFORMED: 'must be a status such as 400, or event',
  SCOPE_NOT_ALLOWED: 'must be the account: only a limit can be of models',
  SECRET_MALFORMED: 'must start with sk-, have at least 20 characters, printable ASCII without spaces',
  SECRET_NEEDED_FOR_PLATFORM: 'must be given again, since the platform changed',
  SECRET_NEEDED_FOR_PROXY: 'must be given again, since a proxy of an http:// address reads it',
  SECRET_NEEDED_FOR_URL: 'must be given again, since the URL changed',
  SECRET_NOT_USABLE: 'cannot be used; choose another',
  SETUP_LINK_OLD: 'is not valid any more: every start of the relay prints a new link',
  STATUS_MALFORMED: 'must be a status such as 400, a range such as 500-599, or event',
  STATUS_NOT_PASSABLE: 'must be from 400 to 599 without 401, 402, 403, 407 and 429: those are about the account',
  STATUS_RANGE_REVERSED: 'must be a range from the smaller to the larger status',
  TAKEN: 'is taken',
  TIER_FIRST: 'must be 0: the first tier of a speed is for all prompts',
  TIER_ORDER: 'must be more than {above}: tiers stand in the order of their lengths',
  TIER_STANDARD_MISSING: 'needs a tier of standard speed',
  TOO_LARGE: 'must be at most {max}',
  TOO_LONG: 'must have at most {max} characters',
  TOO_LONG_ALTOGETHER: 'is too long altogether',
  TOO_MANY_ENTRIES: 'must have at most {max} entries',
  TOO_SHORT: 'must have at least {min} characters',
  TOO_SMALL: 'must be at least {min}',
  UPSTREAM_KEY_MISSING: 'is missing: give the account one first',
  URL_MALFORMED: 'must be an http:// or https:// address',
  URL_WITH_PASSWORD: 'must hold no user or password',
  URL_WITH_QUERY: 'must hold no query and no fragment',
  USER_UNKNOWN: 'is nobody here',
  USERNAME_MALFORMED: 'must have 1 to 64 letters, digits, or . _ @ -, and begin with a letter or digit',
  VENDOR_MALFORMED: 'must have 1 to 60 small letters, digits, or . _ -',
  WINDOW_MALFORMED: 'must be the name of a window, such as 5h or 7d',
  WINDOW_TWICE: 'names a window twice',
  WITHOUT_ACCESS_TOKEN: 'belongs to an accessToken',
  WRONG: 'is wrong',
} as const

/** Why nothing was changed, as whole sentences. */
const sentences = {
  INPUT_INVALID: 'Some fields are wrong: {fields}.',
  NOT_FOUND: 'There is no such {object}.',
  // The state of things does not allow it.
  ACCOUNT_IN_NO_OTHER_GROUP: 'The account serves no other group. Move or delete it.',
  ACCOUNT_READY: 'The account is ready: there is nothing to look for.',
  ALREADY_SET_UP: 'There is an administrator already. Sign in instead.',
  CARD_CONFIRMED: 'The price card is confirmed already.',
  CARD_RETIRED: 'The price card is out of use already.',
  CLAUDE_ACCOUNTS_OFF: 'Claude subscription accounts are off. An administrator can turn them on in the settings.',
  GROUP_HAS_ACCOUNTS: 'The group still has accounts: {count}. Move or delete them first.',
  GROUP_HAS_KEYS: 'The group still has API keys: {count}. Move or delete them first.',
  JOB_RUNNING: 'The job runs already.',
  LAST_ADMINISTRATOR: 'This is the last administrator who can sign in. Make another one first.',
  MODEL_READY: 'The model does not rest there: there is nothing to look for.',
  RERATING_RUNS: 'A re-rating runs already. Wait until it is done.',
  RULES_CHANGED: 'The rules have changed meanwhile. Read them again, then put them in order.',
  TOO_MANY_RULES: 'There are {max} rules, the most there can be. Delete some first.',
  // Nobody is signed in.
  CREDENTIALS_WRONG: 'The name or the password is wrong, or the account is disabled.',
  SESSION_OVER: 'The session is over. Sign in again.',
  SIGN_IN_BUSY: 'Many are signing in just now. Try again in a moment.',
  TOO_MANY_TRIES: 'Too many tries to sign in. Try again in {seconds} s.',
} as const

export type FieldProblemCode = keyof typeof clauses
export type FailureCode = keyof typeof sentences
export const fieldProblemCodes = Object.keys(clauses) as FieldProblemCode[]
export const failureCodes = Object.keys(sentences) as FailureCode[]

/** What stands in the text of a code, by its name. */
export type FailureValues = Readonly<Record<string, string | number>>

/** A code as the message of a zod schema. */
export const says = <Code extends FieldProblemCode>(code: Code): Code => code

export const clause = (code: FieldProblemCode, values: FailureValues = {}): string => filled(clauses[code], values)
export const sentence = (code: FailureCode, values: FailureValues = {}): string => filled(sentences[code], values)

function filled(text: string, values: FailureValues): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]))
}
