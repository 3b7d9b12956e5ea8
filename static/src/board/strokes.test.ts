import { expect, it } from 'vitest'
import type { RoomEvent } from 'wenzhen-client'
import type { Stroke } from '@/api/wire.gen'
import { Strokes } from './strokes'

const stroke = (id: string, seq: number): Stroke => ({ id, seq, authorId: 'bo', tool: 'pen', colour: '#000000', width: 2, points: [0, 0, 0.5], createdAt: '' })
const event = (name: string, data: unknown) => ({ name, data }) as RoomEvent
const committed = (id: string, seq: number) => event('board:committed', stroke(id, seq))
const undone = (strokeId: string) => event('board:undone', { consultationId: 'k', strokeId })
const cleared = (seq: number) => event('board:cleared', { consultationId: 'k', seq })
const ids = (strokes: Strokes) => strokes.all.map((s) => s.id).join('')

it('keeps strokes in the order of the log, once each', () => {
  const strokes = new Strokes()
  expect(strokes.apply(committed('a', 1))).toBe('added')
  expect(strokes.apply(committed('c', 3))).toBe('added')
  expect(strokes.apply(committed('b', 2))).toBe('changed')
  expect(strokes.apply(committed('a', 1))).toBeUndefined()
  expect(ids(strokes)).toBe('abc')
})

it('does the same done again', () => {
  const log = [committed('a', 1), committed('b', 2), undone('a'), cleared(4), committed('c', 5), committed('d', 6), undone('d')]
  const once = new Strokes()
  for (const e of log) once.apply(e)
  expect(ids(once)).toBe('c')
  for (let from = 0; from < log.length; from++) {
    const again = new Strokes()
    again.read({ strokes: [stroke('c', 5)], attachmentId: '', lastSeq: 7 })
    for (const e of [...log, ...log.slice(from)]) again.apply(e)
    expect(ids(again)).toBe('c')
  }
})

it('keeps what happens while the board is being read', () => {
  const strokes = new Strokes()
  strokes.apply(committed('a', 1))
  strokes.asked()
  strokes.apply(committed('b', 2))
  strokes.apply(undone('a'))
  strokes.read({ strokes: [stroke('a', 1)], attachmentId: '', lastSeq: 1 })
  expect(ids(strokes)).toBe('b')
})
