import type { TypedDocumentNode } from '@urql/core'
import { type Ref, ref } from 'vue'
import { useI18n } from 'vue-i18n'
import type { outcomeOf } from '../data/outcome.ts'
import { useMutation } from '../data/use-mutation.ts'
import { ask } from '../shell/dialog/ask.ts'
import { offerUndo } from '../shell/dialog/undo.ts'
import type { ListNoun } from './use-list-page.ts'

type Payload = Parameters<typeof outcomeOf>[0]

/**
 * The switch of a row. Switching off stops requests of other people, so it asks first where `asks`, and offers undo
 * afterwards. Texts are `<noun>.disableTitle`, `.disableText` and `.disabledDone`.
 */
export function useEnabled<Row extends { id: string; name: string }>(parts: {
  noun: ListNoun
  document: TypedDocumentNode<{ result: Payload }, { input: { id: string; enabled?: boolean | null } }>
  asks: boolean
}): { pending: Readonly<Ref<string | undefined>>; setEnabled: (row: Row, enabled: boolean) => void } {
  const { t } = useI18n()
  const { run } = useMutation()
  const pending = ref<string>()
  const { noun } = parts

  async function save({ id, name }: Row, enabled: boolean): Promise<void> {
    pending.value = id
    const outcome = await run(parts.document, { input: { id, enabled } })
    pending.value = undefined
    if (outcome.ok && !enabled)
      offerUndo(t(`${noun}.disabledDone`, { name }), t('act.undo'), () => void save({ id, name } as Row, true))
  }

  return {
    pending,
    setEnabled: (row, enabled) => {
      if (enabled || !parts.asks) return void save(row, enabled)
      const words = { header: t(`${noun}.disableTitle`, { name: row.name }), body: t(`${noun}.disableText`) }
      const buttons = { confirm: t('act.disable'), cancel: t('act.cancel') }
      ask({ ...words, ...buttons, theme: 'warning' }, () => save(row, false))
    },
  }
}
