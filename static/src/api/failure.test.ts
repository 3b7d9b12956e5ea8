import { expect, test } from 'vitest'
import { readFailure } from './failure'

test('the state of a conflict is read from a problem and from an acknowledgement', () => {
  expect(readFailure({ code: 'conflict', detail: 'no', status: 409, state: 'last' })?.status).toBe('last')
  expect(readFailure({ code: 'conflict', message: 'no', status: 'last' })?.status).toBe('last')
})
