import test from 'ava'
import { HandleTable } from './handle-table.ts'

test('a full table says so, and a closed handle makes room without naming what comes after it', (t) => {
  const table = new HandleTable<number>()
  const first = table.open(0)
  let opened = 1
  while (table.open(opened) >= 0) opened += 1
  t.is(opened, 65_536)
  t.is(table.close(first), 0)
  t.is(table.close(first), undefined)
  const again = table.open(-1)
  t.not(again, first)
  t.is(table.get(first), undefined)
  t.is(table.get(again), -1)
})

test('what was never opened names nothing', (t) => {
  const table = new HandleTable<number>()
  for (const handle of [-1, 0, 1, 65_536, Number.NaN]) t.is(table.get(handle), undefined)
})
