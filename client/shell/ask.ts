import { DialogPlugin } from 'tdesign-vue-next/es/dialog/plugin'

/** Asks before something that cannot be undone; the dialog stays until the work is done. */
export function ask(
  words: { header: string; body: string; confirm: string; cancel: string },
  work: () => Promise<unknown>,
): void {
  const dialog = DialogPlugin.confirm({
    theme: 'danger',
    header: words.header,
    body: words.body,
    confirmBtn: { content: words.confirm, theme: 'danger' },
    cancelBtn: words.cancel,
    onConfirm: () => {
      dialog.setConfirmLoading(true)
      void work().finally(() => dialog.destroy())
    },
    onClose: () => dialog.destroy(),
  })
}
