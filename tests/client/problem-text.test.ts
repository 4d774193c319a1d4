import { expect, test } from 'vitest'
import en from '../../client/locales/en/problems.ts'
import zhCN from '../../client/locales/zh-CN/problems.ts'
import { clause, failureCodes, fieldProblemCodes, sentence } from '../../server/failure-codes.ts'

const asNamed = new Proxy({}, { get: (_, name) => `{${String(name)}}` })
const namesIn = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).sort()

test.each([
  ['English', en],
  ['Chinese', zhCN],
])('whatever the server refuses has words in %s, with the values of its own text', (_, { problems }) => {
  for (const code of fieldProblemCodes)
    expect(namesIn(problems.fields[code]), code).toEqual(namesIn(clause(code, asNamed)))
  for (const code of failureCodes) {
    // Which fields are wrong stands beside them; whoever asked knows which object was not found.
    const own = namesIn(sentence(code, asNamed)).filter((name) => name !== 'fields' && name !== 'object')
    expect(namesIn(problems.failures[code]), code).toEqual(own)
  }
})
