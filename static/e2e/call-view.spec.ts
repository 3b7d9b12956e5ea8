import type { Page } from '@playwright/test'
import { expect } from './world'
import { answer, callScreen, calls, enter, fakeDevices, flows, hangUp, meeting, test } from './world/media'

// What a user can do during a call, and what it does when the network
// is poor or lets nothing through.

test.use({ launchOptions: fakeDevices })
test.setTimeout(120_000)

declare global {
  interface Window {
    /** Makes the browser report that a quarter of all packets is lost. */
    lossy?: boolean
  }
}

/** The track that goes out, and which way pictures go. */
const line = (page: Page, kind: 'audio' | 'video') =>
  page.evaluate((kind) => {
    const found = window.watched.connections.at(-1)?.getTransceivers().find((line) => line.receiver.track.kind === kind)
    return { label: found?.sender.track?.label, device: found?.sender.track?.getSettings().deviceId, way: found?.currentDirection }
  }, kind)

test('picture in picture, full screen, other devices, and voice alone on a poor network', async ({ browserOf, server }) => {
  const { doctor, patient, consultation } = await meeting(server.url)
  const mine = await browserOf()
  const theirs = await browserOf()
  await mine.addInitScript(() => {
    let lost = 0
    const read = RTCPeerConnection.prototype.getStats
    RTCPeerConnection.prototype.getStats = async function () {
      const report = await read.call(this)
      if (!window.lossy) return report
      const worse = new Map<string, Record<string, unknown>>()
      report.forEach((stat: Record<string, unknown>, id: string) => {
        worse.set(id, stat.type === 'inbound-rtp' ? { ...stat, packetsLost: (lost += 200) } : stat)
      })
      return worse as unknown as RTCStatsReport
    }
  })
  await mine.clock.install()
  await enter(mine, patient, consultation.id)
  await enter(theirs, doctor, consultation.id)
  await calls(mine, '视频通话')
  await answer(theirs)
  await flows(mine)
  await flows(theirs)

  await callScreen(mine).getByRole('button', { name: '画中画' }).click()
  await expect.poll(() => mine.evaluate(() => document.pictureInPictureElement?.tagName)).toBe('VIDEO')
  await mine.evaluate(() => document.exitPictureInPicture())
  await callScreen(mine).getByRole('button', { name: '全屏' }).click()
  await expect.poll(() => mine.evaluate(() => document.fullscreenElement?.getAttribute('data-testid'))).toBe('call')
  await expect(callScreen(mine).getByRole('button', { name: '全屏' })).toHaveAttribute('aria-pressed', 'true')
  await callScreen(mine).getByRole('button', { name: '全屏' }).click()
  await expect.poll(() => mine.evaluate(() => document.fullscreenElement)).toBe(null)

  // Another camera and another microphone are used at once, the other side sees no gap.
  await callScreen(mine).getByRole('button', { name: '切换设备' }).click()
  for (const [kind, name] of [['video', '摄像头'], ['audio', '麦克风']] as const) {
    const before = await line(mine, kind)
    // Each list of devices is found by its own box: the one that was used before may still be closing.
    const box = mine.getByRole('dialog').getByRole('combobox', { name })
    await box.click({ force: true }) // the box itself lies under what it shows
    await mine.locator(`#${await box.getAttribute('aria-controls')}`).getByRole('option').last().click()
    await expect.poll(async () => (await line(mine, kind)).device).not.toBe(before.device)
  }
  await mine.getByRole('dialog').locator('.el-dialog__headerbtn').click()
  await expect(mine.getByRole('dialog')).toBeHidden()
  await flows(theirs)

  // Ten poor seconds: one is asked, and may go on by voice. Pictures then go neither way.
  await mine.evaluate(() => (window.lossy = true))
  await expect(callScreen(mine).getByRole('img', { name: '网络较差' })).toBeVisible()
  await mine.clock.fastForward(11_000)
  await callScreen(mine).getByRole('button', { name: '仅语音' }).click()
  await expect(callScreen(theirs)).toContainText('摄像头已关闭')
  await expect(callScreen(mine)).toContainText('仅语音')
  await expect.poll(async () => (await line(mine, 'video')).way).toBe('sendonly')
  await flows(mine, ['audio'])
  await flows(theirs, ['audio'])
  await mine.clock.fastForward(11_000)
  await expect(callScreen(mine).getByText('网络较差，画面可能卡顿')).toBeHidden()

  // The network is good again, and so is the picture.
  await mine.evaluate(() => (window.lossy = false))
  await callScreen(mine).getByRole('button', { name: '打开摄像头' }).click()
  await expect.poll(async () => (await line(mine, 'video')).way).toBe('sendrecv')
  await flows(mine)
  await flows(theirs)
  await expect(callScreen(mine).getByRole('img', { name: '网络良好' })).toBeVisible()
  await hangUp(mine)
})

test('a network that lets nothing through is said, and the call can be given up', async ({ browserOf, server }) => {
  const { doctor, patient, consultation } = await meeting(server.url)
  const mine = await browserOf()
  const theirs = await browserOf()
  await mine.addInitScript(() => {
    window.RTCPeerConnection = new Proxy(RTCPeerConnection, { construct: (made) => new made({ iceServers: [], iceTransportPolicy: 'relay' }) })
    window.RTCPeerConnection.prototype.setConfiguration = () => undefined
  })
  await mine.clock.install()
  await enter(mine, patient, consultation.id)
  await enter(theirs, doctor, consultation.id)
  await calls(mine, '语音通话')
  await answer(theirs)
  await expect(callScreen(mine)).toContainText('正在连接')
  await mine.clock.fastForward(21_000)
  await expect(callScreen(mine)).toContainText('当前网络无法接通通话')
  await callScreen(mine).getByRole('button', { name: '结束通话' }).click()
  await expect(callScreen(theirs)).toBeHidden()
  await expect(mine.locator('article', { hasText: '语音通话 · 未接通' })).toBeVisible()
})
