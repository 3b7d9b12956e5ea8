import type { Locator, Page } from '@playwright/test'
import { expect } from './world'
import { axe } from './world/axe'
import { enter, fakeDevices, meeting, test } from './world/media'

// Voice messages, recorded by a microphone that beeps.

test.use({ launchOptions: fakeDevices })
test.setTimeout(120_000)

const recorder = (page: Page) => page.getByTestId('recorder')
const record = (page: Page) => page.getByRole('button', { name: '录制语音消息' }).click()
const voice = (page: Page) => page.locator('article').getByRole('group', { name: /^语音 \d:\d\d$/ })
const sound = (page: Page) =>
  voice(page).locator('audio').evaluate((audio: HTMLAudioElement) => ({ at: audio.currentTime, rate: audio.playbackRate, paused: audio.paused, length: audio.duration }))

/** Plays a message until its position has moved. Listens to events, because polling may miss a short message. */
async function play(message: Locator) {
  const received = message.evaluate((group) => {
    const [audio, slider] = [group.querySelector('audio'), group.querySelector('input')]
    return new Promise<void>((some) => audio?.addEventListener('timeupdate', () => audio.currentTime > 0.2 && Number(slider?.value) > 0.2 && some()))
  })
  await message.getByRole('button', { name: '播放', exact: true }).click()
  await received
}

test('a voice message is recorded, played back, sent, and played and sought by the other side', async ({ browserOf, server }) => {
  const { doctor, patient, consultation } = await meeting(server.url)
  const mine = await browserOf()
  const theirs = await browserOf({ width: 390 })
  await enter(mine, patient, consultation.id)
  await enter(theirs, doctor, consultation.id)

  await record(mine)
  await expect(recorder(mine).getByRole('timer')).toHaveText(/^\d:(0[2-9]|[1-5]\d)$/)
  await recorder(mine).getByRole('button', { name: '停止录音' }).click()
  const preview = recorder(mine).getByRole('group', { name: /^语音/ })
  await play(preview)
  await recorder(mine).getByRole('button', { name: '发送语音' }).click()
  await expect(recorder(mine)).toBeHidden()
  await expect(mine.getByRole('button', { name: '录制语音消息' })).toBeFocused()
  await expect(voice(mine)).toBeVisible()

  // The wave form shows the recorded sound: its bars differ.
  await expect(voice(theirs)).toBeVisible()
  const heights = await voice(theirs).locator('rect').evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('height'))))
  expect(heights).toHaveLength(40)
  expect(new Set(heights).size).toBeGreaterThan(1)

  const slider = voice(theirs).getByRole('slider', { name: '播放位置' })
  await play(voice(theirs))
  await axe(theirs, 'playing')
  // It stops by itself at the end, and begins anew.
  await expect(voice(theirs).getByRole('button', { name: '播放', exact: true })).toBeVisible({ timeout: 60_000 })
  await expect.poll(() => slider.evaluate((at: HTMLInputElement) => at.valueAsNumber)).toBe(0)
  const { length } = await sound(theirs)
  expect(length).toBeGreaterThan(1)

  // By keyboard, then by pointer.
  await slider.focus()
  await theirs.keyboard.press('ArrowRight')
  await expect(slider).toHaveAttribute('aria-valuetext', /^0:01 \/ /)
  await expect.poll(async () => (await sound(theirs)).at).toBeGreaterThan(0.9)
  await theirs.keyboard.press('ArrowLeft')
  await expect(slider).toHaveAttribute('aria-valuetext', /^0:00 \/ /)
  const box = await slider.boundingBox()
  await slider.click({ position: { x: (box?.width ?? 0) / 2, y: 10 } })
  await expect.poll(async () => Math.abs((await sound(theirs)).at - length / 2) < 0.4).toBe(true)
  for (const speed of ['1', '1.5']) await voice(theirs).getByRole('button', { name: `播放速度 ${speed}×`, exact: true }).click()
  expect((await sound(theirs)).rate).toBe(2)

  // It is still there afterwards, and the speed is the device's.
  await theirs.reload()
  await expect(voice(theirs)).toBeVisible()
  await expect(voice(theirs).getByRole('button', { name: '播放速度 2×' })).toBeVisible()
  await theirs.goto('/consultations')
  await expect(theirs.getByText(/\[语音\] \d:\d\d/)).toBeVisible()
})

test('it ends at the limit, and can be thrown away', async ({ browserOf, server }) => {
  const { patient, consultation } = await meeting(server.url)
  const page = await browserOf({ width: 390 })
  await page.route('**/api/v1/config', async (route) => {
    const config = (await (await route.fetch()).json()) as { limits: object }
    await route.fulfill({ json: { ...config, limits: { ...config.limits, voiceSeconds: 10 } } })
  })
  await page.clock.install()
  await enter(page, patient, consultation.id)
  // On a phone there is room for one button: to send what is written, or to speak.
  await page.getByRole('textbox').fill('咳')
  await expect(page.getByRole('button', { name: '录制语音消息' })).toBeHidden()
  await page.getByRole('textbox').fill('')
  await record(page)
  await expect(recorder(page).getByText(/^剩余 \d+ 秒$/)).toBeVisible()
  // The test moves the clock but not the microphone's sound: without any there would be nothing to send.
  await expect(recorder(page).getByRole('timer')).toHaveText(/^0:0[2-9]$/)
  await page.clock.fastForward(10_000)
  await expect(recorder(page).getByText('已达最长时间')).toBeVisible()
  await expect(recorder(page).getByRole('group', { name: '语音 0:10' })).toBeVisible()
  await axe(page, 'recorded')
  await recorder(page).getByRole('button', { name: '放弃录音' }).click()
  await record(page)
  await expect(recorder(page).getByRole('button', { name: '停止录音' })).toBeFocused()
  await axe(page, 'recording')
  await page.keyboard.press('Escape')
  await expect(recorder(page)).toBeHidden()
  await expect(page.getByRole('textbox')).toBeVisible()
  await expect(page.locator('article')).toHaveCount(0)
})
