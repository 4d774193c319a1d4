/** The message files of a language, as the pages load them, in one object. */
const files = import.meta.glob<{ default: Record<string, object> }>('../../client/locales/{en,zh-CN}/*.ts', {
  eager: true,
})

export function messagesOf(language: 'en' | 'zh-CN', names?: readonly string[]): Record<string, object> {
  const folder = `/locales/${language}/`
  const found = Object.entries(files)
    .filter(([path]) => path.includes(folder))
    .filter(([path]) => names === undefined || names.some((name) => path.endsWith(`/${name}.ts`)))
  return Object.assign({}, ...found.map(([, file]) => file.default)) as Record<string, object>
}
