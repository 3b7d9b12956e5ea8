import type { Page } from '@playwright/test'
import type { Inbox, LogPage } from '../src/api/wire.gen'
import { expect, logIn, password, Person, test } from './world'
import { axe } from './world/axe'
import { looks, speak } from './world/looks'
import { admin } from './world/server'

// What an admin may do with records, and how those concerned are notified.

const sections = { pharmacists: '药师', glass: '应急查看', audit: '审计日志' }

async function office(page: Page, section: keyof typeof sections): Promise<Page> {
  await logIn(page, admin.email, admin.password, '/admin')
  await page.getByRole('navigation', { name: '管理' }).getByRole('link', { name: sections[section] }).click()
  await expect(page).toHaveURL(new RegExp(`/admin/${section}$`))
  return page
}

test('an admin appoints a pharmacist, who decides from then on, until dismissed', async ({ server, browserOf }) => {
  const pei = await Person.practise(server.url, '裴药师')
  const page = await office(await browserOf(), 'pharmacists')
  await page.getByRole('textbox', { name: '按姓名或邮箱查找医生、管理员' }).fill(pei.user.email)
  await page.getByRole('button', { name: '任命裴药师为药师' }).click()
  const appointed = page.getByRole('list', { name: '药师', exact: true }).getByRole('listitem').filter({ hasText: pei.user.email })
  await expect(appointed).toBeVisible()
  await axe(page, 'pharmacists')

  const review = await browserOf()
  await logIn(review, pei.user.email, password, '/reviews')
  await expect(review.getByText('暂无待审核的处方').or(review.getByRole('region', { name: '处方' })).first()).toBeVisible()

  await appointed.getByRole('button').click()
  await expect(appointed).toHaveCount(0)
  await review.reload()
  await expect(review.getByText('只有药师可以审核处方')).toBeVisible()
})

test('an admin breaks the glass for a while, with a reason that everyone can read', async ({ server, browserOf }) => {
  const name = `柳青${Date.now() % 100_000}` // found among those of other tests
  const [bo, wang] = await Promise.all([Person.register(server.url, 'patient', name), Person.practise(server.url, '王芳')])
  const c = await bo.consult(wang, '只告诉医生的事')
  await wang.accept(c)
  await bo.say(c, '夜里咳得厉害')
  const patient = await browserOf({ width: 390 })
  await logIn(patient, bo.user.email, password, `/consultations/${c.id}`)

  const page = await office(await browserOf({ width: 1440 }), 'glass')
  await page.getByRole('textbox', { name: '问诊编号或患者' }).fill(name)
  const row = page.locator(`[data-case="${c.id}"]`)
  await expect(row).toContainText(name)
  await expect(row).not.toContainText('只告诉医生的事')
  await expect(page.locator('[data-case]')).toHaveCount(1)
  await axe(page, 'consultations of everyone')
  await row.getByRole('button', { name: '查看问诊' }).click()
  const dialog = page.getByRole('dialog', { name: `查看${name}的问诊` })
  await expect(dialog.getByRole('button', { name: '确认查看' })).toBeDisabled()
  await dialog.getByRole('textbox', { name: '理由' }).fill('处理投诉')
  await axe(page, 'the reason')
  await dialog.getByRole('button', { name: '确认查看' }).click()
  const look = page.getByRole('region', { name: '您正在查看医疗数据' })
  await expect(look).toContainText('夜里咳得厉害')
  await expect(look).toContainText('只告诉医生的事')
  await axe(page, 'a look')

  // The patient reads why, where it happened and in the inbox.
  await expect(patient.getByText('管理员应急查看了本次问诊，理由：处理投诉')).toBeVisible()
  await expect.poll(async () => (await bo.ask<Inbox>('GET', '/notifications')).items.map((n) => n.topic)).toContain('consultation_entered')

  // It disappears from the screen when the time is up.
  await page.clock.setFixedTime(Date.now() + 16 * 60_000)
  await expect(look).toHaveCount(0)
  await expect(page.getByText('夜里咳得厉害')).toHaveCount(0)
})

test('an admin looks into a health record', async ({ server, browserOf }) => {
  const name = `白露${Date.now() % 100_000}`
  const [bo, wang] = await Promise.all([Person.register(server.url, 'patient', name), Person.practise(server.url, '王芳')])
  const c = await bo.consult(wang)
  await bo.ask('PUT', `/patients/${c.patientId}/record`, { allergies: [{ substance: '青霉素', severity: 'severe' }], conditions: [], medications: [] })
  const page = await office(await browserOf({ width: 390 }), 'glass')
  await page.getByRole('textbox', { name: '问诊编号或患者' }).fill(c.id)
  await page.locator(`[data-case="${c.id}"]`).getByRole('button', { name: '查看档案' }).click()
  await page.getByRole('textbox', { name: '理由' }).fill('法院调取')
  await page.getByRole('button', { name: '确认查看' }).click()
  await expect(page.getByRole('heading', { name: `${name}的健康档案` })).toBeVisible()
  await expect(page.getByText('青霉素')).toBeVisible()
  await axe(page, 'a record')
  await page.getByRole('button', { name: '结束查看' }).click()
  await expect(page.getByText('青霉素')).toHaveCount(0)
})

test('the audit log is searched, paged and verified', async ({ server, browserOf }) => {
  const name = `顾言${Date.now() % 100_000}`
  const bo = await Person.register(server.url, 'patient', name)
  const { items } = await bo.ask<{ items: { id: string }[] }>('GET', '/me/patients')
  const patientId = items[0]?.id ?? ''
  const wang = await Person.practise(server.url, '王芳')
  const c = await bo.consult(wang)
  await wang.ask('GET', `/consultations/${c.id}`)
  for (let i = 0; i < 52; i++) await bo.ask('GET', `/patients/${patientId}/record`)
  await bo.ask('PUT', `/patients/${patientId}/record`, { allergies: [], conditions: [], medications: [] })
  const root = await Person.logIn(server.url, admin.email, admin.password)
  await root.ask('POST', `/admin/patients/${patientId}/break-glass`, { reason: '家属申请封存病历' })

  const page = await office(await browserOf({ width: 390 }), 'audit')
  const entries = page.getByRole('list', { name: '审计日志' }).getByRole('listitem')
  await page.getByRole('textbox', { name: '姓名、邮箱、记录编号或理由' }).fill(name)
  await expect(entries.filter({ hasNotText: name })).toHaveCount(0)
  await expect(entries).toHaveCount(50)
  await page.getByRole('button', { name: '更早的记录' }).click()
  await expect(entries).toHaveCount(56) // with the registration and the list of patients
  await page.getByRole('combobox', { name: '操作' }).click()
  await page.getByRole('option', { name: '修改健康档案' }).click()
  await expect(entries).toHaveCount(1)
  await expect(entries).toContainText(`${name}`)
  await page.getByRole('textbox', { name: '姓名、邮箱、记录编号或理由' }).fill('封存')
  await expect(page.getByText('没有符合条件的记录')).toBeVisible()
  await page.getByRole('combobox', { name: '操作' }).click()
  await page.getByRole('option', { name: '应急查看健康档案' }).click()
  await expect(entries.first()).toContainText('理由：家属申请封存病历')
  const record = entries.first().locator('[title]').first()
  await page.getByRole('button', { name: '显示完整记录' }).click()
  await page.getByRole('dialog').getByRole('textbox', { name: '理由' }).fill('家属投诉')
  await page.getByRole('dialog').getByRole('button', { name: '显示完整记录' }).click()
  await expect(page.getByRole('status').filter({ hasText: '家属投诉' })).toContainText('您正在查看完整的审计日志')
  await expect(record).toHaveAttribute('title', `patient:${patientId}`)
  // Who the patient is, where the subject is not the patient itself, and in which login it was done.
  await page.getByRole('combobox', { name: '操作' }).click()
  await page.getByRole('option', { name: '打开问诊' }).click()
  await page.getByRole('textbox', { name: '姓名、邮箱、记录编号或理由' }).fill(c.id)
  const read = entries.filter({ hasText: '王芳' })
  await expect(read).toHaveCount(1)
  await expect(read.getByTitle(patientId)).toHaveText(`就诊人 ${patientId.slice(-8)}`)
  await expect(read.getByText(/^登录 .{8}$/)).toBeVisible()
  await axe(page, 'whole audit log')
  await page.getByRole('button', { name: '结束查看' }).click()
  await expect(page.getByText('未填写理由时')).toBeVisible()
  await page.getByLabel('结束日期').fill('2020-01-01')
  await expect(page.getByText('没有符合条件的记录')).toBeVisible()

  await page.getByRole('button', { name: '核验日志' }).click()
  await expect(page.getByRole('heading', { name: '日志完整' })).toBeVisible()
  await axe(page, 'audit log')
  const { items: all } = await root.ask<LogPage>('GET', '/admin/audit')
  expect(all[0]?.num).toBeGreaterThan(50)
})

test('oversight screens', async ({ server, browserOf }) => {
  const [bo, wang] = await Promise.all([Person.register(server.url, 'patient', '张波'), Person.practise(server.url, '王芳')])
  const c = await bo.consult(wang)
  await wang.accept(c)
  await bo.say(c, '夜里咳得厉害，有痰。')
  await wang.say(c, '多久了？请拍一张痰的照片。')
  await Person.appointPharmacist(server.url, wang)
  await bo.ask('PUT', `/patients/${c.patientId}/record`, {
    allergies: [{ substance: '青霉素', severity: 'severe', reaction: '皮疹' }], conditions: [{ code: 'I10', text: '高血压', since: '2020', active: true }], medications: [],
  })
  const folder = process.env.SHOTS ?? 'test-results/oversight'
  for (const [width, locale] of looks) {
    const page = await browserOf({ width, locale })
    await speak(page, locale)
    const shoot = (name: string) => page.screenshot({ path: `${folder}/${name}-${width}-${locale}.png` })
    await logIn(page, admin.email, admin.password, '/admin/pharmacists')
    await expect(page.locator('.rows li').first()).toBeVisible()
    await shoot('pharmacists')
    await page.goto('/admin/glass')
    const row = page.locator(`[data-case="${c.id}"]`)
    await expect(row).toBeVisible()
    await shoot('glass')
    for (const [n, what] of ['consultation', 'record'].entries()) {
      await row.getByRole('button').nth(n).click()
      await page.getByRole('dialog').getByRole('textbox').fill('complaint 2026-117')
      if (n === 0) await shoot('glass-reason')
      await page.locator('.el-dialog button[type=submit]').click()
      await expect(page.locator('.section .bar')).toBeVisible()
      await shoot(`glass-${what}`)
      await page.locator('.section .bar button').click()
    }
    await page.goto('/admin/audit')
    await expect(page.locator('.entries li').first()).toBeVisible()
    await page.locator('.chain button').click()
    await expect(page.locator('.chain.sound')).toBeVisible()
    await shoot('audit')
    await page.locator('.short button').click()
    await page.getByRole('dialog').getByRole('textbox').fill('complaint 2026-117')
    await page.locator('.el-dialog button[type=submit]').click()
    await expect(page.locator('.section .bar')).toBeVisible()
    const about = page.locator(`.facts [title="${c.patientId}"]`).first()
    await expect(about).toBeVisible()
    await about.evaluate((fact) => fact.scrollIntoView({ block: 'center' }))
    await shoot('audit-whole')
  }
})
