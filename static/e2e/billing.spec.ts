import type { Page } from '@playwright/test'
import { encode } from 'uqr'
import type { Booking, CheckedOut, ConsultationOpened, Order, SlotList } from '../src/api/wire.gen'
import { axe } from './world/axe'
import { admin, WenzhenServer } from './world/server'
import { expect, logIn, password, Person, test, watch } from './world'
import { WechatPay } from './world/wechat'

// What consultations cost, as patients, doctors and admins see it.

const price = 5000
const services = [{ service: 'advice' as const, medium: 'text' as const, price, currency: 'CNY', minutes: 15 }]

async function practise(url: string): Promise<Person> {
  const doctor = await Person.practise(url, '周医生', { services })
  const rules = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, start: '00:00', end: '24:00', slotMinutes: 60, capacity: 1, media: ['text'] }))
  await doctor.ask('PUT', '/me/schedule', { timeZone: 'Asia/Shanghai', rules })
  return doctor
}

const slotsOf = async (someone: Person, doctor: Person) => (await someone.ask<SlotList>('GET', `/doctors/${doctor.user.id}/slots`)).items

/** Opens a consultation and pays for it, without a browser. */
async function paid(patient: Person, doctor: Person): Promise<ConsultationOpened> {
  const opened = await patient.ask<ConsultationOpened>('POST', '/consultations', { doctorId: doctor.user.id, service: 'advice', medium: 'text', complaint: '头疼。' })
  const way = await patient.ask<CheckedOut>('POST', `/orders/${opened.order?.id}/checkout`, { gateway: 'sandbox' })
  await patient.ask('POST', way.redirectUrl ?? '', { play: 'pay' })
  return opened
}

const order = (page: Page) => page.locator('article[data-status]')

test('a paid slot is booked; the doctor declines and the refund is seen live', async ({ browserOf, server }) => {
  const doctor = await practise(server.url)
  const patient = await Person.register(server.url, 'patient', '小李')
  const page = await browserOf()
  await logIn(page, patient.user.email, password, `/doctors/${doctor.user.id}/book`)
  await page.getByRole('list', { name: '日期' }).getByRole('button').nth(2).click()
  await page.getByTestId('slots').getByRole('button').first().click()
  await page.getByRole('textbox', { name: '哪里不舒服' }).fill('咳嗽一周。')
  await page.getByText('我了解线上问诊的局限').click()
  await page.getByRole('button', { name: '预约并支付 ¥50.00' }).click()

  await expect(order(page)).toHaveAttribute('data-status', 'created')
  await expect(page.getByRole('timer')).toHaveText(/^1[0-5]:\d\d$/)
  await axe(page, 'checkout')
  await page.getByRole('button', { name: '支付 ¥50.00' }).click()
  await expect(page).toHaveURL(/\/sandbox\//)
  await axe(page, 'sandbox')
  await page.getByRole('button', { name: '支付失败' }).click()
  await expect(page.getByTestId('sandbox-state')).toContainText('可重试')
  await page.getByRole('button', { name: '支付成功' }).click()

  await expect(page).toHaveURL(/\/orders\//)
  await expect(order(page)).toHaveAttribute('data-status', 'paid')
  await axe(page, 'receipt')
  await page.getByRole('link', { name: '查看预约' }).click()
  await expect(page.locator('article.appointment')).toHaveAttribute('data-status', 'booked')
  await page.goBack()
  await expect(page.getByRole('heading', { name: '支付成功' })).toBeVisible()

  const { items } = await doctor.ask<{ items: { consultationId: string }[] }>('GET', '/appointments')
  await doctor.ask('POST', `/consultations/${items[0]?.consultationId}/decline`, { reason: '请挂专科' })
  await expect(order(page)).toHaveAttribute('data-status', 'refunded') // by itself
  await expect(page.getByRole('region', { name: '退款明细' })).toContainText('医生未能接诊')
  await axe(page, 'refund')
})

test('a patient who cancels a paid consultation reads first what is refunded', async ({ browserOf, server }) => {
  const doctor = await practise(server.url)
  const patient = await Person.register(server.url, 'patient', '小李')
  const { consultation } = await paid(patient, doctor)
  const page = await browserOf({ width: 390 })
  await logIn(page, patient.user.email, password, `/consultations/${consultation.id}`)
  await page.getByRole('button', { name: '取消问诊' }).click()
  const dialog = page.getByRole('dialog', { name: '取消问诊' })
  await expect(dialog).toContainText('已付的 ¥50.00 将全额原路退回')
  await dialog.getByRole('button', { name: '继续等待' }).click()
  await expect(dialog).toBeHidden()
  await page.getByRole('button', { name: '取消问诊' }).click()
  await dialog.getByRole('button', { name: '取消问诊' }).click()
  await expect(page.getByRole('button', { name: '取消问诊' })).toBeHidden()
  await expect.poll(async () => (await patient.ask<{ items: Order[] }>('GET', '/orders')).items[0]?.status).toBe('refunded')
})

test('what is not paid in time gives its slot back', async ({ browser }) => {
  const server = await WenzhenServer.start('--pay-within', '10s')
  const context = await browser.newContext({ baseURL: server.url, locale: 'zh-CN', timezoneId: 'Asia/Shanghai' })
  try {
    const doctor = await practise(server.url)
    const patient = await Person.register(server.url, 'patient', '小李')
    const start = (await slotsOf(patient, doctor))[30]?.start ?? ''
    const page = await context.newPage()
    await logIn(page, patient.user.email, password)
    const booked = await patient.ask<Booking>('POST', '/appointments', { doctorId: doctor.user.id, start, medium: 'text', service: 'advice', complaint: '咳嗽。' })
    expect((await slotsOf(patient, doctor)).find((s) => s.start === start)?.available).toBe(0)
    await page.goto(`/orders/${booked.order?.id}`)
    await expect(order(page)).toHaveAttribute('data-status', 'closed', { timeout: 30_000 }) // by itself
    await expect(page.getByRole('heading', { name: '订单已关闭' })).toBeVisible()
    expect((await slotsOf(patient, doctor)).find((s) => s.start === start)?.available).toBe(1)
  } finally {
    await context.close()
    await server.stop()
  }
})

test('a code to scan: the page believes no stranger, and says by itself when the money is there', async ({ browser }) => {
  const wechat = new WechatPay()
  await wechat.start()
  const server = await WenzhenServer.start('--gateways', 'sandbox,wechat', '--public-url', 'https://clinic.example', ...wechat.flags)
  const context = await browser.newContext({ baseURL: server.url, viewport: { width: 390, height: 844 }, locale: 'zh-CN', timezoneId: 'Asia/Shanghai' })
  const complaints: string[] = []
  try {
    const doctor = await practise(server.url)
    const patient = await Person.register(server.url, 'patient', '小李')
    const opened = await patient.ask<ConsultationOpened>('POST', '/consultations', { doctorId: doctor.user.id, service: 'advice', medium: 'text', complaint: '头疼。' })
    const page = await context.newPage()
    watch(page, complaints)
    await logIn(page, patient.user.email, password, `/orders/${opened.order?.id}`)
    await page.getByRole('radio', { name: /微信支付/ }).check({ force: true })
    await page.getByRole('button', { name: '支付 ¥50.00' }).click()

    const shown = page.getByRole('img', { name: '支付二维码' })
    await expect(shown).toBeVisible()
    const { size, data } = encode(wechat.last.code, { ecc: 'M', border: 4 })
    await expect(shown).toHaveAttribute('viewBox', `0 0 ${size} ${size}`)
    const dark = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])))
    await expect(shown.locator('path')).toHaveAttribute('d', dark.join(''))
    await expect(page.getByRole('timer')).toHaveText(/^1[0-5]:\d\d$/)
    await axe(page, 'code')

    expect(await wechat.forge(server.url)).toBe(403)
    expect((await patient.ask<Order>('GET', `/orders/${opened.order?.id}`)).status).toBe('created')
    await page.getByRole('button', { name: '更换支付方式' }).click()
    await page.getByRole('button', { name: '支付 ¥50.00' }).click() // the same code again
    await expect(shown.locator('path')).toHaveAttribute('d', dark.join(''))

    expect(await wechat.pay(server.url)).toBe(200)
    await expect(order(page)).toHaveAttribute('data-status', 'paid') // by itself
    await expect(page.getByRole('region', { name: '收据' })).toContainText('微信支付')
    expect(await wechat.pay(server.url)).toBe(200) // the same callback a second time
    expect((await patient.ask<Order>('GET', `/orders/${opened.order?.id}`)).paid).toBe(price)
  } finally {
    await context.close()
    await Promise.all([server.stop(), wechat.stop()])
  }
  expect(complaints, 'policy violations and page errors').toEqual([])
})

test('a held appointment and a waiting consultation lead to their payment', async ({ browserOf, server }) => {
  const doctor = await practise(server.url)
  const patient = await Person.register(server.url, 'patient', '小李')
  const page = await browserOf({ width: 390 })
  await logIn(page, patient.user.email, password)
  const start = (await slotsOf(patient, doctor))[30]?.start ?? ''
  await patient.ask('POST', '/appointments', { doctorId: doctor.user.id, start, medium: 'text', service: 'advice', complaint: '咳嗽。' })
  await page.goto('/appointments')
  await page.getByRole('link', { name: '支付 ¥50.00' }).click()
  await expect(order(page)).toHaveAttribute('data-status', 'created')

  const opened = await patient.ask<ConsultationOpened>('POST', '/consultations', { doctorId: doctor.user.id, service: 'advice', medium: 'text', complaint: '头疼。' })
  await page.goto(`/consultations/${opened.consultation.id}`)
  await page.getByRole('link', { name: '支付 ¥50.00' }).click()
  await expect(page).toHaveURL(new RegExp(`/orders/${opened.order?.id}`))
  await page.goto('/orders')
  await expect(page.getByTestId('order-status')).toHaveText(['待支付', '待支付'])
})

test('the doctor sees and exports earnings; the admin refunds', async ({ browserOf, server }) => {
  const doctor = await practise(server.url)
  const patient = await Person.register(server.url, 'patient', '小李')
  const opened = await paid(patient, doctor)

  const desk = await browserOf()
  await logIn(desk, doctor.user.email, password)
  await desk.getByRole('link', { name: '收入' }).click()
  await expect(desk.locator('.totals .main')).toContainText('¥50.00')
  await axe(desk, 'income')
  const saved = desk.waitForEvent('download')
  await desk.getByRole('button', { name: '导出 CSV' }).click()
  expect((await saved).suggestedFilename()).toMatch(/^income-.*\.csv$/)

  const office = await browserOf()
  await logIn(office, admin.email, admin.password, '/admin')
  await office.getByRole('link', { name: '订单' }).click()
  await office.getByRole('textbox', { name: '订单号或患者' }).fill(opened.order?.id ?? '')
  const row = office.locator(`[data-order="${opened.order?.id}"]`)
  await row.getByRole('button', { name: '支付与退款记录' }).click()
  await expect(row).toContainText('到账')
  await axe(office, 'orders of everyone')
  await row.getByRole('button', { name: '退款', exact: true }).click()
  const dialog = office.getByRole('dialog')
  await dialog.getByRole('textbox', { name: /退款金额/ }).fill('60')
  await dialog.getByRole('textbox', { name: '原因' }).fill('道歉')
  await dialog.getByRole('button', { name: '退款' }).click()
  await expect(dialog).toContainText('不超过 ¥50.00')
  await dialog.getByRole('textbox', { name: /退款金额/ }).fill('20')
  await dialog.getByRole('button', { name: '退款' }).click()
  await expect(dialog).toBeHidden()
  await office.getByRole('button', { name: '立即核对今天' }).click()
  await expect(office.getByRole('region', { name: '对账' })).toContainText('全部一致')
})
