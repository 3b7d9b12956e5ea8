import { expect } from './world'
import { callScreen, calls, enter, fakeDevices, incoming, meeting, testWith } from './world/media'

// A call without an answer; on this server it rings for ten seconds.

const test = testWith('--call-ring', '10s')
test.use({ launchOptions: fakeDevices })

test('a call without an answer ends automatically and leaves a note', async ({ browserOf, server }) => {
  const { doctor, patient, consultation } = await meeting(server.url)
  const mine = await browserOf()
  const theirs = await browserOf()
  await enter(mine, patient, consultation.id)
  await enter(theirs, doctor, consultation.id)
  await calls(mine, '语音通话')
  await expect(incoming(theirs)).toBeVisible()
  await expect(incoming(theirs)).toBeHidden({ timeout: 40_000 })
  await expect(callScreen(mine)).toBeHidden()
  await expect(mine.locator('article', { hasText: '语音通话 · 未接听' })).toBeVisible()
})
