import type { CDPSession, Page } from '@playwright/test'
import type { Consultation, Inbox, ConsultationOpened } from '../src/api/wire.gen'
import config, { wholeBrowser } from '../playwright.config'
import { expect, logIn, password, Person, test, WenzhenServer } from './world'
import { axe } from './world/axe'
import { looks, speak } from './world/looks'
import { openPost, openPushService } from './world/outside'

// What reaches people who were not there, as they see it.

test.use({ launchOptions: { ...config.use?.launchOptions, executablePath: wholeBrowser } })

const bell = (page: Page) => page.getByTestId('unread')
const news = (page: Page) => page.getByRole('status', { name: /新通知|New notification/ })

test('what happens elsewhere comes to every device, and is read on all of them at once', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '王芳')
  const patient = await Person.register(server.url, 'patient', '张波')
  const c = await patient.consult(doctor)
  const desktop = await browserOf()
  const phone = await browserOf({ width: 390 })
  await logIn(desktop, patient.user.email, password)
  await logIn(phone, patient.user.email, password)
  await desktop.goto('/doctors')
  await phone.goto('/notifications')
  await expect(phone.getByText('暂无通知')).toBeVisible()

  await doctor.accept(c)
  await expect(bell(desktop)).toHaveText('1')
  await expect(bell(phone)).toHaveText('1')
  await expect(phone.getByRole('link', { name: '王芳医生已接诊' }).first()).toBeVisible()
  await expect(news(desktop)).toContainText('王芳医生已接诊')

  await doctor.say(c, '您好')
  await doctor.say(c, '请问症状多久了？')
  await expect(bell(desktop)).toHaveText('3')
  await expect(phone.getByText('2 条消息')).toBeVisible()
  await axe(phone, 'inbox')

  // Reading the conversation marks all its notifications as read, on every device.
  await desktop.goto('/notifications')
  await desktop.getByRole('link', { name: '王芳发来新消息' }).first().click()
  await expect(desktop).toHaveURL(new RegExp(`/consultations/${c.id}$`))
  await expect(bell(phone)).toHaveCount(0)

  // What one looks at makes no notification.
  await doctor.say(c, '看到了吗？')
  await expect(desktop.getByRole('region', { name: '消息' }).getByText('看到了吗？')).toBeVisible()
  await expect.poll(async () => (await patient.ask<Inbox>('GET', '/notifications')).items.length).toBe(3)
})

test('preferences and quiet hours are kept', async ({ browserOf, server }) => {
  const patient = await Person.register(server.url, 'patient', 'Bo', 'en')
  const page = await browserOf({ locale: 'en-GB' })
  await logIn(page, patient.user.email, password, '/notifications')
  await page.getByRole('link', { name: 'Notification settings' }).click()
  const mailed = page.getByRole('switch', { name: 'Messages: Email' })
  await expect(mailed).toBeChecked()
  await mailed.locator('..').click()
  await page.getByRole('switch', { name: 'Use quiet hours' }).locator('..').click()
  await axe(page, 'settings')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Saved')).toBeVisible()
  await page.reload()
  await expect(page.getByRole('switch', { name: 'Messages: Email' })).not.toBeChecked()
  await expect(page.getByRole('switch', { name: 'Messages: Push' })).toBeChecked()
  await expect(page.getByRole('switch', { name: 'Use quiet hours' })).toBeChecked()
  await expect(page.getByRole('combobox', { name: 'Time zone' })).toBeVisible()
})

test('notification screens', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '王芳', { services: [{ service: 'advice', medium: 'text', price: 5000, currency: 'CNY', minutes: 15 }] })
  const patient = await Person.register(server.url, 'patient', '张波')
  const { consultation, order } = await patient.ask<ConsultationOpened>('POST', '/consultations', { doctorId: doctor.user.id, service: 'advice', medium: 'text', complaint: '咳嗽三天' })
  const { redirectUrl } = await patient.ask<{ redirectUrl: string }>('POST', `/orders/${order?.id}/checkout`, { gateway: 'sandbox' })
  await patient.ask('POST', `/sandbox/${redirectUrl.split('/').at(-1)}`, { play: 'pay' })
  await doctor.accept(consultation)
  await doctor.say(consultation, '您好')
  await doctor.ask('POST', `/consultations/${consultation.id}/terminate`, { reason: '请到医院拍胸片。' })
  await expect.poll(async () => (await patient.ask<Inbox>('GET', '/notifications')).items.map((n) => n.topic)).toContain('payment_refunded')
  const folder = process.env.SHOTS ?? 'test-results/notifications'
  for (const [width, locale] of looks) {
    const page = await browserOf({ width, locale })
    await speak(page, locale)
    await logIn(page, patient.user.email, password, '/notifications')
    await expect(page.getByRole('link', { name: /50\.00/ }).first()).toBeVisible()
    await page.screenshot({ path: `${folder}/inbox-${width}-${locale}.png` })
    await page.goto('/notifications/settings')
    await expect(page.locator('.el-switch').first()).toBeVisible()
    await page.screenshot({ path: `${folder}/settings-${width}-${locale}.png` })
  }
})

interface Registration {
  registrationId: string
  scopeURL: string
}

/** Hands a push to the page's service worker, as the browser does. */
async function deliver(devtools: CDPSession, server: WenzhenServer, registrationId: string, data: string) {
  await devtools.send('ServiceWorker.deliverPushMessage', { origin: server.url, registrationId, data })
}

const shown = (page: Page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready
    return (await registration.getNotifications()).map((n) => ({ title: n.title, body: n.body, tag: n.tag, path: (n.data as { path: string }).path }))
  })

test('a doctor signs a diagnosis; the patient, elsewhere and then offline, gets it in the room, the inbox, by push and by mail', async ({ browser }) => {
  test.setTimeout(120_000)
  const post = await openPost()
  const service = await openPushService()
  const server = await WenzhenServer.start('--mail-server', post.url, '--mail-from', '问诊 <no-reply@e2e.example>', '--mail-delay', '5s', '--push-allow', service.host)
  const context = await browser.newContext({ baseURL: server.url, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', permissions: ['notifications'] })
  try {
    const doctor = await Person.practise(server.url, '王芳')
    const patient = await Person.register(server.url, 'patient', '张波')
    const verify = await post.linkTo(patient.user.email, '/email/verify') // else no mail goes there
    await patient.ask('POST', '/auth/email/verify', { token: verify.hash.slice(1) })
    const c = await openFollowup(patient, doctor)
    await doctor.accept(c)

    // Elsewhere: on another page, which shows it for a moment.
    const page = await context.newPage()
    await logIn(page, patient.user.email, password)
    const devtools = await context.newCDPSession(page)
    const registered = new Promise<Registration>((found) => {
      devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations[0] && found(registrations[0]))
    })
    await devtools.send('ServiceWorker.enable')
    await page.goto('/doctors')
    await expect(bell(page)).toBeVisible()
    const before = Number(await bell(page).textContent())
    await sign(doctor, c, 'J06.9')
    await expect(news(page)).toContainText('王芳医生出具了诊断')
    await expect(bell(page)).toHaveText(String(before + 1))
    await page.goto('/notifications')
    await page.getByRole('link', { name: '王芳医生出具了诊断' }).first().click()
    await expect(page).toHaveURL(new RegExp(`/consultations/${c.id}$`))
    await expect(page.getByText(/J06\.9/).first()).toBeVisible()
    await expect(bell(page)).toHaveCount(0)

    // Then offline: the notification is sent by mail or push.
    const { registrationId } = await registered
    await patient.ask('POST', '/push-subscriptions', service.subscription)
    await page.goto('about:blank')
    await expect.poll(() => patient.sockets()).toBe(0) // until then the patient is looking at the consultation
    await sign(doctor, c, 'R05')
    const titled = (text: string) => (JSON.parse(text) as { title: string }).title
    await expect.poll(() => service.pushes.map(titled), { timeout: 30_000 }).toContain('王芳医生出具了诊断')
    await expect.poll(() => post.to(patient.user.email).map((mail) => mail.subject), { timeout: 45_000 }).toContain('医生出具了诊断')
    const mail = post.to(patient.user.email).find((m) => m.subject === '医生出具了诊断')
    expect(mail?.raw).toContain(`/consultations/${c.id}`.slice(0, 30))
    const push = service.pushes.find((text) => titled(text) === '王芳医生出具了诊断') ?? ''
    for (const left of [push, mail?.raw ?? '']) expect(left).not.toMatch(/R05|J06|咳嗽/)

    // The service worker shows what came, as the browser hands it over.
    await deliver(devtools, server, registrationId, push)
    await page.goto('/notifications')
    await expect.poll(() => shown(page)).toEqual([expect.objectContaining({ title: '王芳医生出具了诊断', path: `/consultations/${c.id}` })])
    await expect(page.getByRole('link', { name: '王芳医生出具了诊断' }).first()).toBeVisible()
    await page.getByRole('link', { name: '王芳医生出具了诊断' }).first().click()
    await expect(page.getByText(/R05/).first()).toBeVisible()
  } finally {
    await context.close()
    await server.stop()
    await Promise.all([post.close(), service.close()])
  }
})

async function openFollowup(patient: Person, doctor: Person): Promise<Consultation> {
  const body = { doctorId: doctor.user.id, service: 'followup', medium: 'text', complaint: '咳嗽三天。', priorDiagnosis: '支气管炎' }
  return (await patient.ask<ConsultationOpened>('POST', '/consultations', body)).consultation
}

async function sign(doctor: Person, c: Consultation, code: string) {
  const draft = await doctor.ask<{ id: string }>('POST', `/consultations/${c.id}/diagnoses`, { codes: [code], text: '咳嗽', advice: '多休息' })
  await doctor.ask('POST', `/diagnoses/${draft.id}/sign`)
}
