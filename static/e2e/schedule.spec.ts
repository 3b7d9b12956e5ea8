import type { Page } from '@playwright/test'
import type { Appointment, Booking, ScheduleRule, Schedule, SlotList } from '../src/api/wire.gen'
import { expect, logIn, password, Person, test } from './world'
import { axe, axeInBothWidths } from './world/axe'

// Doctors' hours and patients' appointments, as people in several browsers see them.

const zone = 'Asia/Shanghai'
const everyDay = (more: Partial<ScheduleRule> = {}): ScheduleRule[] =>
  [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, start: '09:00', end: '11:00', slotMinutes: 30, capacity: 1, media: ['text'], ...more }))

async function practise(url: string, name: string, rules: ScheduleRule[] = everyDay()): Promise<Person> {
  const doctor = await Person.practise(url, name)
  await doctor.ask('PUT', '/me/schedule', { timeZone: zone, rules })
  return doctor
}

const slotsOf = async (someone: Person, doctor: Person) => (await someone.ask<SlotList>('GET', `/doctors/${doctor.user.id}/slots`)).items

async function book(patient: Person, doctor: Person, start: string): Promise<Appointment> {
  const body = { doctorId: doctor.user.id, start, medium: 'text', service: 'advice', complaint: '咳嗽三天。' }
  return (await patient.ask<Booking>('POST', '/appointments', body)).appointment
}

const slotIn = (page: Page, start: string) => page.locator(`[data-start="${start}"]`)

async function openDay(page: Page, doctor: Person, day: number): Promise<string> {
  await page.goto(`/doctors/${doctor.user.id}/book`)
  await expect(page.getByTestId('slots')).toBeVisible()
  await page.getByRole('list', { name: '日期' }).getByRole('button').nth(day).click()
  const first = page.getByTestId('slots').getByRole('button').first()
  return (await first.getAttribute('data-start')) ?? ''
}

async function fillAndBook(page: Page) {
  await page.getByRole('textbox', { name: '哪里不舒服' }).fill('咳嗽一周，夜里加重。')
  await page.getByText('我了解线上问诊的局限').click()
  await page.getByRole('button', { name: '确认预约' }).click()
}

test('one books and the slot goes in the other browser; one cancels and it comes back', async ({ browserOf, server }) => {
  const doctor = await practise(server.url, '周医生')
  const patient = await Person.register(server.url, 'patient', '小李')
  const mine = await browserOf()
  const theirs = await browserOf() // a guest: slots are public
  await logIn(mine, patient.user.email, password)
  const start = await openDay(mine, doctor, 2)
  await openDay(theirs, doctor, 2)
  await expect(slotIn(theirs, start)).toBeVisible()

  await slotIn(mine, start).click()
  await expect(mine.getByTestId('chosen')).toContainText('09:00–09:30')
  const booked = mine.waitForResponse((r) => r.url().endsWith('/api/v1/appointments') && r.request().method() === 'POST')
  await fillAndBook(mine)
  expect((await booked).status()).toBe(201)
  await expect(slotIn(theirs, start)).toHaveCount(0)

  await expect(mine).toHaveURL(/\/appointments$/)
  const card = mine.locator('article.appointment')
  await expect(card).toHaveAttribute('data-status', 'booked')
  await card.getByRole('button', { name: '取消预约' }).click()
  await expect(mine.getByRole('dialog')).toContainText('本次预约免费')
  const cancelled = mine.waitForResponse((r) => r.url().endsWith('/cancel'))
  await mine.getByRole('dialog').getByRole('button', { name: '取消预约' }).click()
  expect((await cancelled).ok()).toBe(true)
  await expect(slotIn(theirs, start)).toBeVisible()
  await expect(card).toHaveAttribute('data-status', 'cancelled')
})

test('what another takes while it is chosen is said, and the form is kept', async ({ browserOf, server }) => {
  const doctor = await practise(server.url, '周医生')
  const [patient, rival] = await Promise.all([Person.register(server.url, 'patient', '小李'), Person.register(server.url, 'patient', '小王')])
  const page = await browserOf()
  await logIn(page, patient.user.email, password)
  const start = await openDay(page, doctor, 2)
  await slotIn(page, start).click()
  await page.getByRole('textbox', { name: '哪里不舒服' }).fill('头疼')
  await book(rival, doctor, start)
  await expect(page.getByText(/09:00–09:30 刚被约满/)).toBeVisible()
  await expect(page.getByTestId('chosen')).toHaveCount(0)
  await expect(page.getByRole('textbox', { name: '哪里不舒服' })).toHaveValue('头疼')

  // The same without the event: the server answers with a conflict.
  const next = (await page.getByTestId('slots').getByRole('button').first().getAttribute('data-start')) ?? ''
  await slotIn(page, next).click()
  await page.route('**/api/v1/appointments', async (route) => {
    await book(rival, doctor, next)
    await route.continue()
  })
  await fillAndBook(page)
  await expect(page.getByText(/09:30–10:00 刚被约满/).first()).toBeVisible()
  await expect(page).toHaveURL(/\/book/)
})

test('after an interruption no stale slot is left', async ({ browserOf, server }) => {
  const doctor = await practise(server.url, '周医生')
  const rival = await Person.register(server.url, 'patient', '小王')
  const page = await browserOf()
  const start = await openDay(page, doctor, 2)
  await page.context().setOffline(true)
  await book(rival, doctor, start)
  await page.context().setOffline(false)
  await expect(slotIn(page, start)).toHaveCount(0)
  await expect(page.getByTestId('slots').getByRole('button')).toHaveCount(3)
})

test('a patient reschedules with live slots, and sees the doctor’s clock from another zone', async ({ browserOf, server }) => {
  const doctor = await practise(server.url, '周医生')
  const patient = await Person.register(server.url, 'patient', '小李')
  await patient.ask('PATCH', '/me', { timeZone: 'Europe/Berlin' })
  const start = (await slotsOf(patient, doctor)).find((s) => s.start.includes('T01:00') && Date.parse(s.start) > Date.now() + 24 * 3_600_000)?.start ?? '' // nine o’clock in Shanghai
  await book(patient, doctor, start)
  const inBerlin = (minutes: number) =>
    new Date(Date.parse(start) + minutes * 60_000).toLocaleTimeString('de', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' })
  const page = await browserOf()
  await logIn(page, patient.user.email, password, '/appointments')
  const card = page.locator('article.appointment')
  await expect(card).toContainText(`${inBerlin(0)}–${inBerlin(30)}`)
  await expect(card).toContainText('医生时间')
  await card.getByRole('button', { name: '改期' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByTestId('slots').getByRole('button').last().click()
  await dialog.getByRole('button', { name: /^改期至/ }).click()
  await expect(dialog).toBeHidden()
  await expect(card).toContainText(`${inBerlin(90)}–${inBerlin(120)}`)
  await expect(card).toContainText('已改期 1 次')
})

test('a doctor drags hours, and takes time off after seeing who is affected', async ({ browserOf, server }) => {
  const doctor = await practise(server.url, '周医生', [])
  const page = await browserOf({ width: 1440 })
  await logIn(page, doctor.user.email, password, '/desk/schedule')
  await expect(page.getByText('还没有每周出诊时间')).toBeVisible()
  await page.getByRole('button', { name: '后一周' }).click()
  const day = page.getByTestId('week').getByText('09:00', { exact: true })
  await day.scrollIntoViewIfNeeded()
  const row = await day.boundingBox()
  const grid = await page.getByTestId('week').boundingBox()
  if (!row || !grid) throw new Error('the week is not on the screen')
  const x = grid.x + grid.width * 0.45
  await page.mouse.move(x, row.y + 6)
  await page.mouse.down()
  await page.mouse.move(x, row.y + 30, { steps: 4 })
  await page.mouse.move(x, row.y + 84, { steps: 6 })
  await page.mouse.up()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByLabel('开始')).toHaveValue('09:00')
  await dialog.getByRole('button', { name: '保存' }).click()
  await expect(dialog).toBeHidden()
  const saved = await doctor.ask<Schedule>('GET', '/me/schedule')
  expect(saved.rules).toHaveLength(1)
  expect(saved.rules[0]?.start).toBe('09:00')
  await expect(page.getByTestId('rules').getByRole('listitem')).toHaveCount(1)

  // Someone books, live on the calendar; then the doctor wants the day off.
  const patient = await Person.register(server.url, 'patient', '小李')
  const slot = (await slotsOf(patient, doctor)).find((s) => Date.parse(s.start) > Date.now() + 24 * 3_600_000)
  if (!slot) throw new Error('no slot to book')
  await book(patient, doctor, slot.start)
  const date = new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(new Date(slot.start))
  await page.getByRole('button', { name: '停诊', exact: true }).click()
  await dialog.getByLabel('开始日期').fill(date)
  await dialog.getByLabel('结束日期').fill(date)
  await dialog.getByLabel('开始', { exact: true }).fill('08:00')
  await dialog.getByLabel('结束', { exact: true }).fill('20:00')
  await dialog.getByRole('button', { name: '下一步' }).click()
  await expect(page.getByTestId('affected')).toContainText('小李')
  await expect(page.getByTestId('affected')).toContainText('推荐改期至')
  expect((await doctor.ask<Schedule>('GET', '/me/schedule')).exceptions).toHaveLength(0)
  await dialog.getByRole('button', { name: '确认停诊' }).click()
  await expect(dialog).toBeHidden()
  await expect(page.getByTestId('exceptions').getByRole('listitem')).toHaveCount(1)

  // The patient accepts the other time.
  const mine = await browserOf({ width: 390 })
  await logIn(mine, patient.user.email, password, '/appointments')
  const card = mine.locator('article.appointment')
  await expect(card).toHaveAttribute('data-status', 'reassign_pending')
  await axe(mine, 'an offer')
  await card.getByRole('button', { name: '接受新时间' }).click()
  await expect(card).toHaveAttribute('data-status', 'booked')
})

test('a patient refuses the other time: the appointment is cancelled', async ({ browserOf, server }) => {
  const doctor = await practise(server.url, '周医生')
  const patient = await Person.register(server.url, 'patient', '小李')
  const slot = (await slotsOf(patient, doctor))[3]
  if (!slot) throw new Error('no slot to book')
  await book(patient, doctor, slot.start)
  const page = await browserOf()
  await logIn(page, patient.user.email, password, '/appointments')
  const card = page.locator('article.appointment')
  await expect(card).toHaveAttribute('data-status', 'booked')
  await doctor.ask('POST', '/me/schedule/exceptions', { kind: 'time_off', start: slot.start, end: slot.end })
  await expect(card).toHaveAttribute('data-status', 'reassign_pending') // by an event, without a request
  await card.getByRole('button', { name: '不接受' }).click()
  await page.locator('.el-message-box').getByRole('button', { name: '不接受' }).click()
  await expect(card).toHaveAttribute('data-status', 'cancelled')
})

test('hours are added, changed and deleted with the keyboard; a stale change is not lost', async ({ browserOf, server }) => {
  const doctor = await practise(server.url, '周医生', [])
  const page = await browserOf()
  await logIn(page, doctor.user.email, password, '/desk/schedule')
  await page.getByRole('button', { name: '添加出诊时间' }).press('Enter')
  const dialog = page.getByRole('dialog')
  for (const name of ['星期一', '星期二', '星期三', '星期四', '星期五', '星期六', '星期日']) await dialog.getByRole('checkbox', { name }).setChecked(name === '星期二', { force: true })
  await dialog.getByLabel('结束', { exact: true }).fill('08:00')
  await dialog.getByRole('button', { name: '保存' }).press('Enter')
  await expect(dialog.getByText('结束时间必须晚于开始时间')).toBeVisible()
  await dialog.getByLabel('结束', { exact: true }).fill('10:00')

  // Meanwhile another device changes the hours.
  await doctor.ask('PUT', '/me/schedule', { timeZone: zone, rules: everyDay().slice(3, 4) })
  await dialog.getByRole('button', { name: '保存' }).press('Enter')
  await expect(dialog.getByText('日程刚在其他地方被修改')).toBeVisible()
  await dialog.getByRole('button', { name: '保存' }).press('Enter')
  await expect(dialog).toBeHidden()
  const rules = page.getByTestId('rules').getByRole('listitem')
  await expect(rules).toHaveCount(2)

  await page.getByRole('button', { name: /修改星期二/ }).press('Enter')
  await dialog.getByLabel('每次时长').fill('20')
  await dialog.getByLabel('每次时长').press('Tab')
  await dialog.getByRole('button', { name: '保存' }).press('Enter')
  await expect(rules.first()).toContainText('每次 20 分钟')
  await page.getByRole('button', { name: /修改星期四/ }).press('Enter')
  await dialog.getByRole('button', { name: '删除这段出诊时间' }).press('Enter')
  await expect(rules).toHaveCount(1)
  await page.keyboard.press('Escape')
})

test('nothing is free: the waitlist offers what someone cancels', async ({ browserOf, server }) => {
  const today = new Date().getUTCDay() || 7
  const weekday = ((today + 2) % 7) + 1
  const until = new Date(Date.now() + 9 * 86_400_000).toISOString().slice(0, 10)
  const rule = { ...everyDay()[weekday - 1], end: '09:30', validUntil: until } as ScheduleRule
  const doctor = await practise(server.url, '周医生', [rule])
  const [rival, patient] = await Promise.all([Person.register(server.url, 'patient', '小王'), Person.register(server.url, 'patient', '小李')])
  const slots = await slotsOf(rival, doctor)
  const taken: Appointment[] = []
  for (const slot of slots) taken.push(await book(rival, doctor, slot.start))
  const page = await browserOf()
  await logIn(page, patient.user.email, password, `/doctors/${doctor.user.id}/book`)
  await page.getByRole('button', { name: '加入候补' }).first().click()
  await page.getByRole('textbox', { name: '哪里不舒服' }).fill('头疼')
  await page.getByText('我了解线上问诊的局限').click()
  // The list of places is answered before someone cancels, and arrives after the offer.
  let arrives = () => {}
  const offered = new Promise<void>((done) => (arrives = done))
  const answered = new Promise<void>((done) => {
    void page.route('**/api/v1/waitlist', async (route) => {
      if (route.request().method() !== 'GET') return route.continue()
      const response = await route.fetch()
      done()
      await offered
      await route.fulfill({ response })
    })
  })
  await page.locator('form').getByRole('button', { name: '加入候补' }).click()
  await expect(page).toHaveURL(/\/appointments$/)
  await answered
  await rival.ask('POST', `/appointments/${taken[0]?.id}/cancel`, {})
  await expect(page.getByRole('link', { name: /1 条未读/ })).toBeVisible()
  arrives()
  await page.getByRole('button', { name: '预约该时间' }).click()
  await expect(page.locator('article.appointment')).toHaveAttribute('data-status', 'booked')
})

test('an appointment that begins soon is checked in and admitted', async ({ browserOf, server }) => {
  const minutes = everyDay({ start: '00:00', end: '24:00', slotMinutes: 5 })
  const doctor = await practise(server.url, '周医生', minutes)
  // The doctor lives where it is noon, so that what begins soon begins today.
  const east = 12 - new Date().getUTCHours()
  await doctor.ask('PATCH', '/me', { timeZone: `Etc/GMT${east < 0 ? '+' : '-'}${Math.abs(east)}` })
  const patient = await Person.register(server.url, 'patient', '小李')
  const soon = (await slotsOf(patient, doctor))[1]
  if (!soon) throw new Error('no slot soon')
  await book(patient, doctor, soon.start)
  const desk = await browserOf()
  await logIn(desk, doctor.user.email, password)
  await expect(desk.getByText('今天的预约')).toBeVisible()
  await expect(desk.locator('.queued')).toHaveCount(0)
  const page = await browserOf()
  await logIn(page, patient.user.email, password, '/appointments')
  await page.getByRole('button', { name: '签到' }).click()
  await expect(page).toHaveURL(/\/consultations\//)
  await expect(page.getByTestId('queue-position')).toHaveText('1')
  await desk.locator('.queued').getByRole('button', { name: '接诊', exact: true }).click()
  await expect(page.locator('.banner.active')).toBeVisible()
})

test('the calendar’s address is copied and renewed', async ({ browserOf, server }) => {
  const patient = await Person.register(server.url, 'patient', '小李')
  const page = await browserOf()
  await logIn(page, patient.user.email, password, '/appointments')
  const address = page.getByRole('textbox', { name: '日历地址' })
  await expect(address).toHaveValue(/^http.*\/calendar\/.+\.ics$/)
  const old = await address.inputValue()
  expect((await fetch(old)).headers.get('content-type')).toContain('text/calendar')
  await page.getByRole('button', { name: '更换地址' }).click()
  await page.locator('.el-message-box').getByRole('button', { name: '更换地址' }).click()
  await expect(address).not.toHaveValue(old)
  expect((await fetch(old)).status).toBe(404)
  expect((await fetch(await address.inputValue())).status).toBe(200)
})

test('axe finds nothing in schedules, on a phone and on a desk', async ({ browserOf, server }) => {
  test.setTimeout(120_000)
  const doctor = await practise(server.url, '周医生')
  const patient = await Person.register(server.url, 'patient', '小李')
  const slots = await slotsOf(patient, doctor)
  await book(patient, doctor, slots.at(-1)?.start ?? '')
  const mine = await browserOf()
  await logIn(mine, patient.user.email, password)
  const start = await openDay(mine, doctor, 2)
  await axeInBothWidths(mine, 'booking')
  await slotIn(mine, start).click()
  await axeInBothWidths(mine, 'booking, chosen')
  await mine.goto('/appointments')
  await expect(mine.locator('article.appointment')).toBeVisible()
  await axeInBothWidths(mine, 'appointments')
  await mine.getByRole('button', { name: '改期' }).click()
  await expect(mine.getByRole('dialog').getByTestId('slots')).toBeVisible()
  await axeInBothWidths(mine, 'reschedule')
  const theirs = await browserOf()
  await logIn(theirs, doctor.user.email, password, '/desk/schedule')
  await expect(theirs.getByTestId('week').getByText('09:00', { exact: true })).toBeVisible()
  await axeInBothWidths(theirs, 'week')
  await theirs.getByRole('button', { name: '添加出诊时间' }).click()
  await axeInBothWidths(theirs, 'hours')
  await theirs.getByRole('radio', { name: '该时段不接受预约' }).check()
  await axeInBothWidths(theirs, 'time off')
  await theirs.goto('/appointments')
  await axeInBothWidths(theirs, 'the doctor’s appointments')
})
