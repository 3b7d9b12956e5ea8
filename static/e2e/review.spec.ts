import type { CheckedOut, Consultation, ConsultationOpened, Order } from '../src/api/wire.gen'
import { expect, logIn, password, Person, test } from './world'
import { axe } from './world/axe'
import { looks, speak } from './world/looks'
import { admin } from './world/server'

// What people see of a doctor who is verified no more, and how patients end a consultation.

const services = [{ service: 'advice' as const, medium: 'text' as const, price: 5000, currency: 'CNY', minutes: 15 }]

/** A consultation that is paid for, accepted and answered, with a second doctor in it. */
async function begun(url: string): Promise<{ bo: Person; wang: Person; li: Person; c: Consultation }> {
  const [bo, wang, li] = await Promise.all([Person.register(url, 'patient', '张波'), Person.practise(url, `王芳${Date.now() % 100_000}`, { services }), Person.practise(url, '李强')])
  const opened = await bo.ask<ConsultationOpened>('POST', '/consultations', { doctorId: wang.user.id, service: 'advice', medium: 'text', complaint: '头疼三天，下午加重。' })
  const way = await bo.ask<CheckedOut>('POST', `/orders/${opened.order?.id}/checkout`, { gateway: 'sandbox' })
  await bo.ask('POST', way.redirectUrl ?? '', { play: 'pay' })
  const c = await wang.accept(opened.consultation)
  await bo.ask('POST', `/consultations/${c.id}/invitations`, { userId: li.user.id, role: 'second_doctor' })
  await bo.say(c, '医生您好，这几天下午头疼得厉害。')
  await wang.say(c, '您好，血压量过吗？')
  return { bo, wang, li, c }
}

const changesTitle = (doctor: Person) => doctor.ask('PATCH', '/me/doctor', { title: '主任医师' })

test('a patient reads that the doctor is under review, and ends the consultation with a refund', async ({ server, browserOf }) => {
  const { bo, wang, li, c } = await begun(server.url)
  const page = await browserOf({ width: 390 })
  await logIn(page, bo.user.email, password, `/consultations/${c.id}`)
  const end = page.getByRole('button', { name: '结束问诊' })
  await expect(end).toHaveCount(1)
  const second = await browserOf({ width: 390 })
  await logIn(second, li.user.email, password, `/consultations/${c.id}`)
  await expect(second.getByRole('textbox', { name: '输入消息' })).toBeVisible()

  await changesTitle(wang)
  const note = page.getByRole('status').filter({ hasText: `机构正在核验${wang.user.name}医生的资料` })
  await expect(note).toContainText('也可以结束问诊并获得全额退款')
  await expect(end).toHaveCount(1)
  await axe(page, 'under review')
  await changesTitle(li)
  await expect(second.getByText('会诊医生须通过资质核验')).toBeVisible()
  await axe(second, 'no longer verified')

  await end.click()
  const dialog = page.getByRole('dialog', { name: '结束问诊' })
  await expect(dialog).toContainText('医生的资料正在核验，费用 ¥50.00 将全额退回。结束后 72 小时内可免费追问一次。')
  await axe(page, 'ending')
  await dialog.getByRole('button', { name: '结束问诊' }).click()
  await expect(page.getByRole('button', { name: '我要追问' })).toBeVisible()
  await expect(note).toHaveCount(0)
  await expect.poll(async () => (await bo.ask<{ items: Order[] }>('GET', '/orders')).items[0]?.refunded).toBe(5000)
})

for (const [width, locale] of looks) {
  test(`screens of a review at ${width} px in ${locale}`, async ({ server, browserOf }) => {
    const { bo, wang, li, c } = await begun(server.url)
    const folder = process.env.SHOTS ?? 'test-results/review'
    const open = async (who: Person | typeof admin, path: string) => {
      const page = await browserOf({ width, locale })
      await speak(page, locale)
      const login = 'user' in who ? { email: who.user.email, password } : who
      await logIn(page, login.email, login.password, path)
      await page.waitForLoadState('networkidle')
      return page
    }
    const pages = { patient: await open(bo, `/consultations/${c.id}`), doctor: await open(wang, `/consultations/${c.id}`), second: await open(li, `/consultations/${c.id}`) }
    const shoot = async (name: string) => {
      for (const [who, page] of Object.entries(pages)) {
        await page.screenshot({ path: `${folder}/${width}-${locale}-${name}-${who}.png`, animations: 'disabled' })
      }
    }
    await shoot('before')
    await changesTitle(wang)
    await changesTitle(li)
    const note = pages.patient.locator('section.note')
    await expect(note).toBeVisible()
    await expect(pages.doctor.locator('section.note')).toBeVisible()
    await shoot('under-review')
    await note.getByRole('button').click()
    await expect(pages.patient.getByRole('dialog')).toBeVisible()
    await shoot('ending')
    await pages.patient.keyboard.press('Escape')
    const profile = await open(wang, '/desk/profile')
    await profile.screenshot({ path: `${folder}/${width}-${locale}-profile.png`, fullPage: true, animations: 'disabled' })
    const doctors = await open(admin, '/admin/doctors')
    await doctors.getByRole('button', { name: new RegExp(`^(不通过：|Reject )${wang.user.name}$`) }).click()
    await expect(doctors.getByRole('dialog')).toBeVisible()
    await doctors.screenshot({ path: `${folder}/${width}-${locale}-withdrawal.png`, animations: 'disabled' })
    const root = await Person.logIn(server.url, admin.email, admin.password)
    await root.ask('POST', `/admin/users/${wang.user.id}/unverify`, { reason: '证书已过期' })
    await expect(note).toHaveCount(0)
    await shoot('rejected')
  })
}
