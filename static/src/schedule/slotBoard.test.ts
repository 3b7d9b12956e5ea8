import { describe, expect, test } from 'vitest'
import type { Slot } from '@/api/wire.gen'
import { SlotBoard } from './slotBoard'

const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 9, minute)).toISOString()
const slot = (minute: number, available = 1): Slot => ({ start: at(minute), end: at(minute + 15), available, media: ['video'] })
const change = (minute: number, available: number) => ({ doctorId: 'd', start: at(minute), available })
const early = Date.parse(at(-60))

function boardOf(...slots: Slot[]) {
  const board = new SlotBoard()
  board.asking()
  board.answered({ items: slots })
  return board
}
const starts = (board: SlotBoard, now = early) => board.free(now).map((s) => s.start)

describe('SlotBoard', () => {
  test('a slot that is taken goes, and comes back when it is free again', () => {
    const board = boardOf(slot(0), slot(15))
    expect(board.change(change(15, 0))).toBe(true)
    expect(starts(board)).toEqual([at(0)])
    expect(board.change(change(15, 1))).toBe(true)
    expect(starts(board)).toEqual([at(0), at(15)])
  })

  test('a slot with several seats goes with the last', () => {
    const board = boardOf(slot(0, 3))
    board.change(change(0, 1))
    expect(board.free(early)[0]?.available).toBe(1)
    board.change(change(0, 0))
    expect(starts(board)).toEqual([])
  })

  test('the same instant written otherwise is the same slot', () => {
    const board = boardOf(slot(0))
    board.change({ doctorId: 'd', start: '2026-11-23T17:00:00+08:00', available: 0 })
    expect(starts(board)).toEqual([])
  })

  test('a new answer replaces everything: no stale slot stays', () => {
    const board = boardOf(slot(0), slot(15))
    board.asking()
    board.answered({ items: [slot(15), slot(30)] })
    expect(starts(board)).toEqual([at(15), at(30)])
  })

  test('an event during a request outlasts its answer', () => {
    const board = boardOf(slot(0))
    board.asking()
    board.change(change(0, 0)) // after the server had read what it answers
    board.answered({ items: [slot(0), slot(15)] })
    expect(starts(board)).toEqual([at(15)])
  })

  test('an event before the request does not change its answer', () => {
    const board = boardOf(slot(0))
    board.change(change(0, 0))
    board.asking()
    board.answered({ items: [slot(0)] })
    expect(starts(board)).toEqual([at(0)])
  })

  test('a slot that is not known and becomes free has to be asked for', () => {
    const board = boardOf(slot(0))
    expect(board.change(change(45, 1))).toBe(false)
    expect(board.change(change(45, 0))).toBe(true)
    expect(starts(board)).toEqual([at(0)])
  })

  test('what has begun is no longer offered, and slots are in order', () => {
    const board = boardOf(slot(30), slot(0), slot(15))
    expect(starts(board, Date.parse(at(0)))).toEqual([at(15), at(30)])
  })
})
