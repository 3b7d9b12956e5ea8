import type { Page } from '@playwright/test'
import type { CheckedOut, ConsultationOpened } from '../src/api/wire.gen'
import WebSocket from 'ws'
import { expect, logIn, password, Person, test } from './world'
import { axeInBothWidths } from './world/axe'
import { speak } from './world/looks'
import { admin } from './world/server'

// The admin dashboard: measurements of the server, and who is connected.

/** The admin at a part of the desk, in English. */
async function atDesk(page: Page, section: string): Promise<Page> {
  await speak(page, 'en')
  await logIn(page, admin.email, admin.password, `/admin/${section}`)
  return page
}

const figure = async (page: Page, of: string) => Number((await page.locator(`[data-figure=${of}]`).textContent())?.replaceAll(',', ''))

test('the admin sees figures move, and cuts who is connected', async ({ browserOf, server }) => {
  const patient = await Person.register(server.url, 'patient', 'Bo Live', 'en')
  const office = await atDesk(await browserOf(), 'live')
  const bare = (count: RegExp) => office.getByRole('img', { name: new RegExp(`Connections: WebSocket \\d+, Long-polling \\d+, Plain WebSocket ${count.source}`) })
  await expect(bare(/0/)).toBeVisible()
  const lines = [1, 2, 3].map(() => new WebSocket(`${server.url.replace('http', 'ws')}/chat`))
  await expect(bare(/3/)).toBeVisible()
  expect(await figure(office, 'connections')).toBeGreaterThan(3) // and this page's own
  for (const line of lines) line.close()
  await expect(bare(/0/)).toBeVisible()
  await expect(office.getByRole('row', { name: /\/consultations/ })).toBeVisible()

  const phone = await browserOf({ locale: 'en-US' })
  await logIn(phone, patient.user.email, password)
  await office.getByRole('link', { name: 'Connections', exact: true }).click()
  const theirs = office.locator('[data-socket]').filter({ hasText: 'Bo Live' })
  await expect(theirs.first()).toBeVisible()
  const old = await theirs.evaluateAll((all) => all.map((one) => one.getAttribute('data-socket')))
  await office.getByRole('textbox', { name: 'Search rooms' }).fill(`user:${patient.user.id}`)
  await expect(office.locator('[data-room]').first()).toContainText(`user:${patient.user.id}`)
  await theirs.first().getByRole('button', { name: 'Disconnect all' }).click()
  const dialog = office.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('Too many windows.')
  await dialog.getByRole('button', { name: 'Disconnect all' }).click()
  await expect(dialog).toBeHidden()
  // The page of the one who was cut comes back by itself, on new sockets.
  for (const id of old) await expect(office.locator(`[data-socket="${id}"]`)).toHaveCount(0)
  await expect(theirs.first()).toBeVisible()
  const root = await Person.logIn(server.url, admin.email, admin.password)
  const { items } = await root.ask<{ items: { action: string; reason?: string }[] }>('GET', `/admin/audit?subject=user:${patient.user.id}`)
  expect(items[0]).toMatchObject({ action: 'user:disconnect', reason: 'Too many windows.' })
})

test('the admin reads health, settings and how consultations stand', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, 'Dr Desk')
  const patient = await Person.register(server.url, 'patient', 'Li', 'en')
  await patient.consult(doctor)
  const office = await atDesk(await browserOf(), 'health')
  await expect(office.getByText('Ready, accepting requests')).toBeVisible()
  await expect(office.locator('[data-check=database]')).toContainText('OK')
  await expect(office.locator('[data-check=database]')).toContainText(/waiting to be written: \d/)
  await office.getByRole('link', { name: 'Settings' }).click()
  await office.getByRole('textbox', { name: 'Search settings' }).fill('ping-interval')
  await expect(office.locator('[data-setting=ping-interval]')).toContainText('25s')
  await office.getByRole('navigation', { name: 'Administration' }).getByRole('link', { name: 'Consultations' }).click()
  await expect(office.locator('[data-state=waiting]')).toContainText(/[1-9]/)
})

const sections = { live: 'Live', connections: 'Connections', health: 'Health', settings: 'Settings', consultations: 'Consultations' }
test('axe finds nothing on the admin’s desk, on a phone and at a desk', async ({ browserOf }) => {
  const page = await atDesk(await browserOf(), 'live')
  for (const [section, name] of Object.entries(sections)) {
    await page.getByRole('navigation', { name: 'Administration' }).getByRole('link', { name, exact: true }).click()
    await expect(page).toHaveURL(new RegExp(`/admin/${section}$`))
    await expect(page.locator('.card').first()).toBeVisible()
    await axeInBothWidths(page, section)
  }
})

for (const width of [390, 1440]) {
  for (const locale of ['zh-CN', 'en'] as const) {
    test(`screens of the admin’s desk at ${width} px in ${locale}`, async ({ browserOf, server }) => {
      const en = locale === 'en'
      const services = [{ service: 'advice' as const, medium: 'text' as const, price: 5000, currency: 'CNY', minutes: 15 }]
      const doctor = await Person.practise(server.url, en ? 'Dr. Alexandra Featherstonehaugh-Montgomery' : '欧阳明月', { services, bio: en ? 'Coughs, allergies and everything that children bring home.' : '擅长呼吸道疾病、过敏和儿童常见病。' })
      await Person.register(server.url, 'doctor', en ? 'Dr. New' : '新医生')
      const patient = await Person.register(server.url, 'patient', en ? 'Bo' : '小波', locale)
      for (const play of ['pay', 'fail', 'pay'] as const) {
        const opened = await patient.ask<ConsultationOpened>('POST', '/consultations', { doctorId: doctor.user.id, service: 'advice', medium: 'text', complaint: en ? 'A cough.' : '咳嗽。' })
        const way = await patient.ask<CheckedOut>('POST', `/orders/${opened.order?.id}/checkout`, { gateway: 'sandbox' })
        await patient.ask('POST', way.redirectUrl ?? '', { play })
        if (play === 'pay') await doctor.ask('POST', `/consultations/${opened.consultation.id}/decline`, { reason: en ? 'Please see a specialist.' : '请看专科。' })
      }
      const phone = await browserOf({ width: 390, locale })
      await logIn(phone, patient.user.email, password)
      const page = await browserOf({ width, locale })
      await speak(page, locale)
      await logIn(page, admin.email, admin.password)
      for (const section of ['doctors', 'users', 'orders', ...Object.keys(sections)]) {
        await page.goto(`/admin/${section}`)
        await page.waitForTimeout(section === 'live' ? 13_000 : 1_500)
        if (section === 'orders') await page.locator('[data-order] [aria-expanded]').first().click()
        await page.screenshot({ path: `test-results/shots/desk-${width}-${locale}-${section}.png`, fullPage: section !== 'settings' })
      }
    })
  }
}
