// @vitest-environment happy-dom
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, expect, test } from 'vitest'
import { defineComponent, h, nextTick } from 'vue'
import { createI18n } from 'vue-i18n'
import FocusScope from '../../../client/shell/dialog/FocusScope.vue'
import PageState from '../../../client/shell/PageState.vue'
import ToggleSwitch from '../../../client/shell/ToggleSwitch.vue'
import { messagesOf } from '../messages.ts'

const i18n = createI18n({ legacy: false, locale: 'en', messages: { en: messagesOf('en') } })
const global = { plugins: [i18n] }

afterEach(() => {
  document.body.innerHTML = ''
})

test('a switch says what it is and is turned by the keyboard, unless it is disabled', async () => {
  const wrapper = mount(ToggleSwitch, { props: { modelValue: false, label: 'Enable laptop' }, global })
  expect(wrapper.attributes()).toMatchObject({ role: 'switch', tabindex: '0', 'aria-checked': 'false' })
  expect(wrapper.attributes('aria-label')).toBe('Enable laptop')
  await wrapper.trigger('keydown', { key: ' ', code: 'Space' })
  await wrapper.trigger('keydown', { key: 'Enter' })
  expect(wrapper.emitted('update:modelValue')).toEqual([[true], [false]])
  const disabled = mount(ToggleSwitch, { props: { modelValue: true, label: 'x', disabled: true }, global })
  expect(disabled.attributes('tabindex')).toBe('-1')
  await disabled.trigger('keydown', { key: 'Enter' })
  expect(disabled.emitted('update:modelValue')).toBeUndefined()
})

test('a dialog is called one, and focus returns to what opened it', async () => {
  const opener = document.createElement('button')
  document.body.append(opener)
  opener.focus()
  const dialog = defineComponent({
    render: () =>
      h('div', { class: 't-dialog' }, [h(FocusScope, { dialog: '.t-dialog', label: 'Edit' }, () => h('input'))]),
  })
  const wrapper = mount(dialog, { attachTo: document.body, global })
  await nextTick()
  await flushPromises()
  expect(wrapper.attributes()).toMatchObject({ role: 'dialog', 'aria-modal': 'true', 'aria-label': 'Edit' })
  wrapper.unmount()
  expect(document.activeElement).toBe(opener)
})

test('rows stay on the page when reading them again fails', () => {
  const props = { isLoading: false, error: { kind: 'offline' as const }, isEmpty: false, emptyTitle: 'none' }
  const slots = { default: () => h('p', 'a row') }
  const kept = mount(PageState, { props: { ...props, hasData: true }, slots, global })
  expect(kept.text()).toContain('a row')
  expect(kept.text()).toContain('The server does not respond')
  const first = mount(PageState, { props, slots, global })
  expect(first.text()).not.toContain('a row')
  expect(first.text()).toContain('This could not be loaded')
})
