import type { Page } from '@playwright/test'
import { expect, logIn, password, Person } from './world'
import { fakeDevices, flows, test, watchMedia, practiseByVideo } from './world/media'
import { xray } from './world/picture'

// Pictures of the screens of calls, voice messages and the whiteboard, on a
// phone and on a desktop: test-results/shots.

test.use({ launchOptions: fakeDevices })

const words = {
  'zh-CN': { doctor: '欧阳明月', patient: '张波', test: '开始检测', works: '麦克风正常', record: '录制语音消息', stop: '停止录音', send: '发送语音', play: '播放', start: '发起通话', video: '视频通话', answer: '接听', hangUp: '挂断', noBackground: '移除底图' },
  en: { doctor: 'Dr. Alexandra Featherstonehaugh-Montgomery', patient: 'Bo Zhang', test: 'Start the test', works: 'Your microphone works', record: 'Record a voice message', stop: 'Stop recording', send: 'Send the voice message', play: 'Play', start: 'Call', video: 'Video call', answer: 'Answer', hangUp: 'Hang up', noBackground: 'Remove the background' },
}

for (const locale of ['zh-CN', 'en'] as const) {
  test(`screens of calls in ${locale}`, async ({ browserOf, server }) => {
    test.setTimeout(180_000)
    const say = words[locale]
    const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
    const doctor = await practiseByVideo(server.url, say.doctor)
    await doctor.ask('PATCH', '/me', { locale })
    const patient = await Person.register(server.url, 'patient', say.patient, locale)
    const c = await patient.consult(doctor, undefined, 'video')
    await doctor.accept(c)
    const phone = await browserOf({ width: 390, locale })
    const desk = await browserOf({ width: 1440, locale })
    const shoot = async (page: Page, name: string) => {
      await page.waitForTimeout(350) // transitions
      const device = page === phone ? 'phone' : 'desktop'
      await page.screenshot({ path: `test-results/shots/call-${device}-${locale}-${name}.png` })
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      expect(sideways, `${name} scrolls sideways`).toBeLessThanOrEqual(0)
      const text = await page.locator('body').innerText()
      expect(text, `${name} shows a key instead of text`).not.toMatch(/\b(call|voice|devices|board)\.[a-z]+[A-Za-z.]*\b/)
    }
    for (const [page, person] of [[phone, patient], [desk, doctor]] as const) {
      await watchMedia(page)
      await logIn(page, person.user.email, password, '/devices')
      await button(page, say.test).click()
      await expect(page.getByText(say.works)).toBeVisible()
      await shoot(page, 'devices')
      await page.goto(`/consultations/${c.id}`)
      await button(page, say.record).click()
      await expect(page.getByRole('timer')).toHaveText(/^0:0[1-9]$/)
      await shoot(page, 'recording')
      await button(page, say.stop).click()
      await shoot(page, 'recorded')
      await button(page, say.send).click()
    }
    for (const page of [phone, desk]) {
      await expect(page.locator('article').getByRole('group')).toHaveCount(2)
      await page.locator('article').getByRole('button', { name: say.play, exact: true }).first().click()
      await expect(page.getByRole('slider').first()).not.toHaveValue('0')
      await shoot(page, 'player')
    }

    await button(phone, say.start).click()
    await phone.getByRole('menuitem', { name: say.video }).click()
    await expect(desk.getByRole('alertdialog')).toBeVisible()
    await shoot(desk, 'incoming')
    await shoot(phone, 'calling')
    await desk.getByRole('alertdialog').getByRole('button', { name: say.answer, exact: true }).click()
    await flows(phone)
    await flows(desk)
    await shoot(phone, 'call')
    await shoot(desk, 'call')
    await button(phone, say.hangUp).click()
    await expect(desk.getByTestId('call')).toBeHidden()
    await button(desk, say.start).click()
    await desk.getByRole('menuitem', { name: say.video }).click()
    await expect(phone.getByRole('alertdialog')).toBeVisible()
    await shoot(phone, 'incoming')
    await shoot(desk, 'calling')
    await button(desk, say.hangUp).click()

    for (const page of [desk, phone]) {
      await page.goto(`/consultations/${c.id}/board`)
      await expect(page.locator('[data-ready=true]')).toBeVisible()
      if (page === desk) await page.getByTestId('background-input').setInputFiles({ name: 'xray.png', mimeType: 'image/png', buffer: xray() })
      await expect(page.getByRole('button', { name: say.noBackground })).toBeVisible()
      const box = await page.getByRole('application').boundingBox()
      if (!box) throw new Error('there is no board')
      await page.getByRole('application').press('o')
      const at = (x: number, y: number) => [box.x + box.width * x, box.y + box.height * y] as const
      await page.mouse.move(...at(0.42, 0.36))
      await page.mouse.down()
      await page.mouse.move(...at(0.56, 0.52), { steps: 5 })
      await page.mouse.up()
      await shoot(page, 'board')
    }
  })
}
