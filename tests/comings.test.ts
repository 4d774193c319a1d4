import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Coming, createComings } from '../server/comings.ts'

interface Item extends Coming {
  name: number
}

const item = (name: number): Item => ({ name, place: -1 })

function namesIn(comings: ReturnType<typeof createComings<Item>>): number[] {
  const names: number[] = []
  comings.visit(({ name }) => names.push(name))
  return names.sort((a, b) => a - b)
}

test('what comes and goes is there as in a Set, whatever the order', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(12)), { maxLength: 60 })
  fc.assert(
    fc.property(steps, (all) => {
      const items = Array.from({ length: 13 }, (_, name) => item(name))
      const comings = createComings<Item>()
      const model = new Set<number>()
      for (const [comes, name] of all) {
        if (comes) {
          comings.add(items[name]!)
          model.add(name)
        } else {
          comings.delete(items[name]!)
          model.delete(name)
        }
        expect(comings.size()).toBe(model.size)
        expect(namesIn(comings)).toEqual([...model].sort((a, b) => a - b))
      }
    }),
  )
})

test('what goes during a visit is not visited any more, and what comes is not visited yet', () => {
  const comings = createComings<Item>()
  const [a, b, c] = [item(1), item(2), item(3)]
  for (const one of [a, b, c]) comings.add(one)
  const visited: number[] = []
  comings.visit((one) => {
    visited.push(one.name)
    comings.delete(one)
    comings.delete(one === a ? b : a)
    comings.add(item(9))
  })
  expect(visited).toEqual([1, 3])
  expect(comings.size()).toBe(2)
})
