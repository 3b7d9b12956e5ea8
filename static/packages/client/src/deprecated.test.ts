import { expect, test } from 'vitest'
import * as client from './index.js'

test('the names before 0.1.0 still work', () => {
  expect(client.SteadySocket).toBe(client.ReconnectingSocket)
  expect(client.advised).toBe(client.setReconnectDelays)
  expect(client.pauses()).toEqual(client.reconnectDelays())
})
