import { nextTick, onBeforeUnmount, onMounted } from 'vue'

const focusable =
  'a[href], button:not([disabled], [tabindex="-1"]), input:not([disabled], [type=hidden], [tabindex="-1"]), textarea:not([disabled]), [tabindex="0"]'
/** Open dialogs, the topmost last: only that one keeps the keyboard. */
const open: HTMLElement[] = []

const visible = (element: HTMLElement): boolean => element.getClientRects().length > 0

/**
 * What TDesign's dialogs and drawers lack: focus moves in when one opens, Tab stays inside, and focus returns to what
 * opened it. `find` gives the element of the dialog once it is mounted.
 */
export function useDialogFocus(find: () => HTMLElement | null | undefined, label: () => string): void {
  const opener = document.activeElement instanceof HTMLElement ? document.activeElement : undefined
  let dialog: HTMLElement | undefined

  function keepInside(event: KeyboardEvent): void {
    if (event.key !== 'Tab' || dialog === undefined || open.at(-1) !== dialog) return
    const targets = [...dialog.querySelectorAll<HTMLElement>(focusable)].filter(visible)
    const [first, last] = [targets[0], targets.at(-1)]
    const { activeElement } = document
    const isOutside = !dialog.contains(activeElement)
    if (event.shiftKey ? activeElement === first || isOutside : activeElement === last || isOutside) {
      event.preventDefault()
      ;(event.shiftKey ? last : first)?.focus()
    }
  }

  onMounted(async () => {
    await nextTick()
    dialog = find() ?? undefined
    if (dialog === undefined) return
    open.push(dialog)
    dialog.setAttribute('role', 'dialog')
    dialog.setAttribute('aria-modal', 'true')
    dialog.setAttribute('aria-label', label())
    document.addEventListener('keydown', keepInside, true)
    if (dialog.contains(document.activeElement)) return
    const targets = [...dialog.querySelectorAll<HTMLElement>(focusable)].filter(visible)
    const field = targets.find((element) => element.matches('input, textarea'))
    ;(field ?? targets[0])?.focus({ preventScroll: true })
  })
  onBeforeUnmount(() => {
    document.removeEventListener('keydown', keepInside, true)
    if (dialog !== undefined) open.splice(open.indexOf(dialog), 1)
    if (opener?.isConnected) opener.focus({ preventScroll: true })
  })
}
