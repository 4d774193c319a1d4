import { DialogPlugin } from 'tdesign-vue-next/es/dialog/plugin'

export interface Question {
  header: string
  body: string
  confirm: string
  cancel: string
  theme?: 'danger' | 'warning'
}

/** Asks before an action; the dialog stays until the work is done. Focus starts on "cancel" and returns to where it was. */
export function ask({ header, body, confirm, cancel, theme = 'danger' }: Question, work: () => Promise<unknown>): void {
  const opener = document.activeElement
  const className = `ask-${Date.now()}`
  const close = (): void => {
    dialog.destroy()
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true })
  }
  const dialog = DialogPlugin.confirm({
    className,
    theme,
    header,
    body,
    confirmBtn: { content: confirm, theme: theme === 'danger' ? 'danger' : 'primary' },
    cancelBtn: cancel,
    onConfirm: () => {
      dialog.setConfirmLoading(true)
      void work().finally(close)
    },
    onClose: close,
  })
  // Its buttons are drawn with the next frame.
  requestAnimationFrame(() => {
    const element = document.querySelector<HTMLElement>(`.${className} .t-dialog`)
    element?.setAttribute('role', 'alertdialog')
    element?.setAttribute('aria-modal', 'true')
    element?.setAttribute('aria-label', header)
    const buttons = [...(element?.querySelectorAll<HTMLElement>('button') ?? [])]
    buttons[0]?.focus()
    element?.addEventListener('keydown', (event) => {
      if (event.key !== 'Tab') return
      event.preventDefault()
      const at = buttons.indexOf(document.activeElement as HTMLElement)
      buttons[(at + (event.shiftKey ? -1 : 1) + buttons.length) % buttons.length]?.focus()
    })
  })
}
