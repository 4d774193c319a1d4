// @vitest-environment happy-dom
import { mount } from '@vue/test-utils'
import { expect, test } from 'vitest'
import { nextTick } from 'vue'
import { createI18n } from 'vue-i18n'
import FormMore from '../../../client/forms/FormMore.vue'
import RowTable from '../../../client/lists/RowTable.vue'
import { messagesOf } from '../messages.ts'

const i18n = createI18n({ legacy: false, locale: 'en', messages: { en: messagesOf('en') } })
const global = { plugins: [i18n] }

test('fields behind a line open by themselves when one of them has a problem, and for no other', async () => {
  const props = { title: 'Rates', fields: ['concurrency', 'extraHeaders'], problems: {} }
  const wrapper = mount(FormMore, { props, slots: { default: '<input />' }, global })
  expect(wrapper.find('input').exists()).toBe(false)
  await wrapper.setProps({ problems: { name: 'missing', concurrencyLimit: 'too small' } })
  expect(wrapper.find('input').exists()).toBe(false)
  await wrapper.setProps({ problems: { 'extraHeaders.cookie': 'not allowed' } })
  await nextTick()
  expect(wrapper.find('input').exists()).toBe(true)
  expect(wrapper.find('details').attributes('open')).toBeDefined()
})

test('on a phone a row is a card: its name and actions on top, every other column with its title', () => {
  window.matchMedia = () =>
    ({ matches: true, addEventListener() {}, removeEventListener() {} }) as unknown as MediaQueryList
  const columns = [
    { key: 'name', title: 'Name' },
    { key: 'cost', title: 'Cost', isLong: true },
    { key: 'actions', title: 'Actions' },
  ]
  const wrapper = mount(RowTable, {
    props: { rows: [{ id: '1', cost: '$2' }], columns, keyOf: (row: object) => (row as { id: string }).id },
    slots: { name: '<b>alice</b>', cost: '<i>{{ params.row.cost }}</i>', actions: '<button>Edit</button>' },
    global,
  })
  expect(wrapper.find('.card-head').text()).toBe('aliceEdit')
  expect(wrapper.findAll('dt').map((title) => title.text())).toEqual(['Cost'])
  expect(wrapper.find('dd').text()).toBe('$2')
})
