import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { chooseDevice, openCamera, troubleOf } from './media'

const refused = (name: string) => Object.assign(new Error(name), { name })
const asked = vi.fn<(constraints: MediaStreamConstraints) => Promise<unknown>>()
const stream = { getVideoTracks: () => ['a track'] }

beforeEach(() => vi.stubGlobal('navigator', { mediaDevices: { getUserMedia: asked } }))
afterEach(() => {
  vi.unstubAllGlobals()
  asked.mockReset()
  localStorage.clear()
})
const device = (call: number) => (asked.mock.calls[call]?.[0].video as MediaTrackConstraints).deviceId

it('insists on the camera that was chosen', async () => {
  chooseDevice('videoinput', 'mine')
  asked.mockResolvedValue(stream)
  await openCamera()
  expect(device(0)).toEqual({ exact: 'mine' })
})

it('takes another one when that is gone', async () => {
  chooseDevice('videoinput', 'mine')
  asked.mockRejectedValueOnce(refused('OverconstrainedError')).mockResolvedValueOnce(stream)
  expect(await openCamera()).toBe('a track')
  expect(device(1)).toBeUndefined()
})

it('does not ask twice when it is refused', async () => {
  chooseDevice('videoinput', 'mine')
  asked.mockRejectedValue(refused('NotAllowedError'))
  expect(troubleOf(await openCamera().catch((e: unknown) => e))).toBe('denied')
  expect(asked).toHaveBeenCalledTimes(1)
})

it.each([
  ['NotAllowedError', 'denied'],
  ['NotFoundError', 'missing'],
  ['NotReadableError', 'busy'],
  ['InsecureContext', 'insecure'],
  ['TypeError', 'unknown'],
])('%s is %s', (name, kind) => {
  expect(troubleOf(refused(name))).toBe(kind)
})

it('reports an insecure page where the browser has no device API', async () => {
  vi.stubGlobal('navigator', {})
  expect(troubleOf(await openCamera().catch((e: unknown) => e))).toBe('insecure')
})
