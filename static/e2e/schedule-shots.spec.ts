import type { Page } from '@playwright/test'
import type { Booking, ScheduleRule, SlotList } from '../src/api/wire.gen'
import { expect, logIn, password, Person, test } from './world'

// Pictures of the screens of schedules and appointments: test-results/shots.

const week: ScheduleRule[] = [1, 2, 3, 4, 5].flatMap((weekday) => [
  { weekday, start: '09:00', end: '12:00', slotMinutes: 15, capacity: 1, media: ['text', 'video'] } as ScheduleRule,
  { weekday, start: '14:00', end: '17:30', slotMinutes: 30, capacity: 3, media: ['text', 'voice', 'video'] } as ScheduleRule,
])

for (const [device, width] of [
  ['phone', 390],
  ['desktop', 1440],
] as const) {
  for (const locale of ['zh-CN', 'en'] as const) {
    test(`screens of schedules on a ${device} in ${locale}`, async ({ browserOf, server }) => {
      test.setTimeout(180_000)
      const en = locale === 'en'
      const services = (['text', 'video'] as const).map((medium) => ({ service: 'advice' as const, medium, price: medium === 'text' ? 0 : 9900, currency: 'CNY', minutes: 15 }))
      const doctor = await Person.practise(server.url, en ? 'Dr. Alexandra Featherstonehaugh' : '欧阳明月', { department: '心血管内科', services })
      await doctor.ask('PATCH', '/me', { locale })
      const idle = await Person.practise(server.url, en ? 'Dr. Li' : '李娜', { services })
      await doctor.ask('PUT', '/me/schedule', { timeZone: 'Asia/Shanghai', rules: week })
      const patient = await Person.register(server.url, 'patient', en ? 'Maria del Carmen Rodríguez' : '张波', locale)
      const slots = (await patient.ask<SlotList>('GET', `/doctors/${doctor.user.id}/slots`)).items
      const book = async (start: string, complaint: string) =>
        (await patient.ask<Booking>('POST', '/appointments', { doctorId: doctor.user.id, start, medium: 'text', service: 'advice', complaint })).appointment
      const nth = (n: number) => slots[n]?.start ?? ''
      const said = en ? 'Dizzy in the morning; blood pressure 150/95.' : '最近早上头晕，血压 150/95。'
      const moved = await book(nth(2), said)
      await book(nth(14), said)
      const gone = await book(nth(30), said)
      await patient.ask('POST', `/appointments/${gone.id}/cancel`, { reason: en ? 'Feeling better' : '已经好了' })
      await patient.ask('POST', '/waitlist', { doctorId: idle.user.id, from: nth(0), to: nth(40), medium: 'text', service: 'advice', complaint: said })

      const shoot = async (page: Page, name: string) => {
        await expect(page.locator('.el-skeleton')).toHaveCount(0)
        await page.waitForTimeout(350) // transitions
        await page.screenshot({ path: `test-results/shots/schedule-${device}-${locale}-${name}.png`, fullPage: true })
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
        expect(sideways, `${name} scrolls sideways`).toBeLessThanOrEqual(0)
        const text = await page.locator('body').innerText()
        expect(text, `${name} shows a key instead of text`).not.toMatch(/\b(book|appointments?|waitlist|feed|calendar|hours|consult|failure)\.[a-z]+[A-Za-z.]*\b/)
      }

      const mine = await browserOf({ width, locale })
      await logIn(mine, patient.user.email, password, `/doctors/${doctor.user.id}`)
      await shoot(mine, 'doctor')
      await mine.goto(`/doctors/${doctor.user.id}/book`)
      await mine.getByTestId('slots').getByRole('button').nth(1).click()
      await shoot(mine, 'book')
      await mine.goto(`/doctors/${idle.user.id}/book`)
      await expect(mine.locator('.empty')).toBeVisible()
      await mine.locator('.empty button').click()
      await shoot(mine, 'book-none')

      const theirs = await browserOf({ width, locale })
      await logIn(theirs, doctor.user.email, password, '/desk/schedule')
      const later = theirs.getByRole('button', { name: /^(后一周|后三天|Next week|Next three days)$/ })
      await later.click()
      if (device === 'phone') await later.click()
      await expect(theirs.getByTestId('week').getByText('09:00', { exact: true })).toBeVisible()
      await shoot(theirs, 'week')
      await theirs.locator('.tools button').first().click()
      await shoot(theirs, 'hours')
      await theirs.keyboard.press('Escape')
      await theirs.locator('.tools button').nth(1).click()
      await expect(theirs.getByRole('dialog')).toBeVisible()
      const day = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(new Date(moved.start))
      await theirs.locator('.el-dialog input[type=date]').nth(0).fill(day)
      await theirs.locator('.el-dialog input[type=date]').nth(1).fill(day)
      await shoot(theirs, 'time-off')
      await theirs.locator('.el-dialog__footer .el-button--primary').click()
      await expect(theirs.getByTestId('affected')).toBeVisible()
      await shoot(theirs, 'preview')
      await theirs.locator('.el-dialog__footer .el-button--primary').click()
      await expect(theirs.getByTestId('exceptions')).toBeVisible()
      await shoot(theirs, 'week-off')
      await theirs.goto('/appointments')
      await shoot(theirs, 'appointments-doctor')

      await mine.goto('/appointments')
      await expect(mine.locator('article.appointment').first()).toBeVisible()
      await shoot(mine, 'appointments')
      await mine.locator('[data-status=booked] .buttons button').first().click()
      await expect(mine.getByRole('dialog').getByTestId('slots')).toBeVisible()
      await shoot(mine, 'reschedule')
      await mine.keyboard.press('Escape')
      await mine.locator('[data-status=booked] .buttons button').last().click()
      await shoot(mine, 'cancel')
    })
  }
}
