import { builder } from '../builder.ts'
import { Group } from '../groups/groups.ts'
import { User } from '../identity/users.ts'

const text = 'Most that all keys together may spend; null: no limit.'

builder.prismaObjectFields(User, (t) => ({
  dailyLimit: t.expose('dailyLimitNano', { description: `Of a day. ${text}`, type: 'NanoUsd', nullable: true }),
  weeklyLimit: t.expose('weeklyLimitNano', { description: `Of a week. ${text}`, type: 'NanoUsd', nullable: true }),
  monthlyLimit: t.expose('monthlyLimitNano', { description: `Of a month. ${text}`, type: 'NanoUsd', nullable: true }),
  totalLimit: t.expose('totalLimitNano', { description: `Of all time. ${text}`, type: 'NanoUsd', nullable: true }),
  rollingLimit: t.expose('rollingLimitNano', {
    description: `Of the last \`rollingHours\`. ${text}`,
    type: 'NanoUsd',
    nullable: true,
  }),
  rollingHours: t.exposeInt('rollingHours', { description: 'The length of the rolling window.' }),
}))

builder.prismaObjectFields(Group, (t) => ({
  dailyLimit: t.expose('dailyLimitNano', { description: `Of a day. ${text}`, type: 'NanoUsd', nullable: true }),
  weeklyLimit: t.expose('weeklyLimitNano', { description: `Of a week. ${text}`, type: 'NanoUsd', nullable: true }),
  monthlyLimit: t.expose('monthlyLimitNano', { description: `Of a month. ${text}`, type: 'NanoUsd', nullable: true }),
  totalLimit: t.expose('totalLimitNano', { description: `Of all time. ${text}`, type: 'NanoUsd', nullable: true }),
  rollingLimit: t.expose('rollingLimitNano', {
    description: `Of the last \`rollingHours\`. ${text}`,
    type: 'NanoUsd',
    nullable: true,
  }),
  rollingHours: t.exposeInt('rollingHours', { description: 'The length of the rolling window.' }),
}))
