/** A passing message. TDesign's part for it is loaded with the first one: the sign-in page rarely needs it. */
export async function showMessage(theme: 'success' | 'info' | 'warning' | 'error', text: string): Promise<void> {
  const { MessagePlugin } = await import('tdesign-vue-next/es/message/plugin')
  void MessagePlugin[theme](text)
}
