/** How a Claude subscription is opened. `keep`: with the login it has. */
export type LoginWay = 'keep' | 'code' | 'accessToken' | 'setupToken' | 'credentialsFile'

/** What is typed of a login. Secrets: they live as long as the dialog, and nowhere else. */
export interface LoginForm {
  way: LoginWay
  code: string
  accessToken: string
  refreshToken: string
  /** Local time as the date picker writes it; '' when it is not known. */
  expiresAt: string
  setupToken: string
  /** The text, pasted or of the file chosen. */
  credentialsFile: string
  /** Of the file chosen; '' for pasted text. */
  fileName: string
}

export const newLoginForm = (way: LoginWay): LoginForm => ({
  way,
  code: '',
  accessToken: '',
  refreshToken: '',
  expiresAt: '',
  setupToken: '',
  credentialsFile: '',
  fileName: '',
})

/** Larger ones are no credentials files; the server says the same. */
export const maxFileBytes = 64 * 1024

/** Where the input has a field of the form. */
const pathOf = (field: string): string =>
  ['accessToken', 'refreshToken', 'expiresAt'].includes(field) ? `tokens.${field}` : field

/** The input of the way chosen, or problems by field. Undefined input: the login stays. */
export function readLogin(form: LoginForm, words: { required: string }) {
  const { way } = form
  if (way === 'keep') return { problems: {}, login: undefined }
  const text = form[way].trim()
  const problems: Record<string, string> = text === '' ? { [`login.${pathOf(way)}`]: words.required } : {}
  if (way === 'code') return { problems, login: { code: text } }
  if (way === 'setupToken') return { problems, login: { setupToken: text } }
  if (way === 'credentialsFile') return { problems, login: { credentialsFile: text } }
  const refreshToken = form.refreshToken.trim()
  const tokens = {
    accessToken: text,
    ...(refreshToken !== '' && { refreshToken }),
    ...(form.expiresAt !== '' && { expiresAt: new Date(form.expiresAt.replace(' ', 'T')).toISOString() }),
  }
  return { problems, login: { tokens } }
}

/** The problem of a field of the login; a problem of the login as a whole stands beside the field that was filled. */
export function loginProblem(problems: Record<string, string>, form: LoginForm, field: string): string | undefined {
  return problems[`login.${pathOf(field)}`] ?? (field === form.way ? problems['login'] : undefined)
}
