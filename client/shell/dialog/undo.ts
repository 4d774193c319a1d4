import { MessagePlugin } from 'tdesign-vue-next/es/message/plugin'
import { h } from 'vue'

/** A passing message with a way back. */
export function offerUndo(text: string, label: string, undo: () => void): void {
  const message = MessagePlugin.success({
    duration: 10_000,
    closeBtn: true,
    content: () =>
      h('span', { class: 'undo', role: 'status' }, [
        text,
        h(
          'button',
          {
            type: 'button',
            class: 'link',
            onClick: () => {
              MessagePlugin.close(message)
              undo()
            },
          },
          label,
        ),
      ]),
  })
}
