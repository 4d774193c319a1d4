import { expect, test } from 'vitest'
import { createSlabs } from '../../server/wire/slabs.ts'

test('a slab given back is the next one of its size, and two takers never share one', () => {
  const slabs = createSlabs()
  const first = slabs.take(150_000)
  const second = slabs.take(150_000)
  expect(first.length).toBeGreaterThanOrEqual(150_000)
  expect(second === first).toBe(false)
  slabs.give(first)
  expect(slabs.take(140_000) === first).toBe(true)
  expect(slabs.take(140_000) === first).toBe(false)
})

test('every size gets at least what it asked for, the largest without being kept', () => {
  const slabs = createSlabs()
  for (const bytes of [1, 4095, 4096, 4097, 65_536, 65_537, 1_048_576, 1_048_577, 33_554_432]) {
    expect(slabs.take(bytes).length).toBeGreaterThanOrEqual(bytes)
  }
  const huge = slabs.take(33_554_432)
  slabs.give(huge)
  expect(slabs.take(33_554_432) === huge).toBe(false)
})

test('a part of a slab, or foreign memory of another size, is not taken for one', () => {
  const slabs = createSlabs()
  const slab = slabs.take(5000)
  slabs.give(slab.subarray(0, 5000))
  expect(slabs.take(5000) === slab).toBe(false)
})
