import type { Erasure, LogPage } from '../src/api/wire.gen'
import { expect, logIn, Person, test } from './world'
import { axe } from './world/axe'
import { looks, speak } from './world/looks'
import { admin } from './world/server'

// Legal holds: an admin says whose data is kept, and why, until it is lifted.

test('an admin holds the data of someone and lifts it, from the keyboard', async ({ server, browserOf }) => {
  const li = await Person.register(server.url, 'patient', '李保全')
  const obstacles = async () => (await li.ask<Erasure>('GET', '/me/erasure')).obstacles
  const page = await browserOf({ width: 1440 })
  await logIn(page, admin.email, admin.password, '/admin/users')
  await page.getByRole('textbox', { name: '搜索姓名或邮箱' }).fill(li.user.email)
  const person = page.getByRole('list', { name: '用户' }).getByRole('listitem')
  await expect(person).toHaveCount(1)
  await person.getByRole('button', { name: '保全数据：李保全' }).press('Enter')
  const dialog = page.getByRole('dialog', { name: '保全李保全的数据' })
  const place = dialog.getByRole('button', { name: '保全数据' })
  await expect(place).toBeDisabled()
  await dialog.getByRole('textbox', { name: '原因' }).fill('法院要求保全证据')
  await axe(page, 'why', '.el-dialog')
  await place.press('Enter')
  await expect(person.getByText('保全中')).toBeVisible()
  await expect(dialog).toBeHidden()
  expect(await obstacles()).toEqual(['hold'])
  await axe(page, 'users')

  await page.getByRole('navigation', { name: '管理' }).getByRole('link', { name: '法律保全' }).press('Enter')
  const held = page.locator(`[data-hold="${li.user.id}"]`)
  await expect(held).toContainText(li.user.email)
  await expect(held).toContainText('原因：法院要求保全证据')
  await held.getByRole('button', { name: '解除保全：李保全' }).press('Enter')
  const question = page.getByRole('dialog', { name: '解除对李保全的保全' })
  await question.getByRole('button', { name: '取消' }).press('Enter')
  await expect(question).toBeHidden()
  await expect(held).toBeVisible()
  await held.getByRole('button').press('Enter')
  await question.getByRole('button', { name: '解除保全' }).press('Enter')
  await expect(held).toHaveCount(0)
  expect(await obstacles()).toEqual([])

  const root = await Person.logIn(server.url, admin.email, admin.password)
  const { items } = await root.ask<LogPage>('GET', `/admin/audit?subject=user:${li.user.id}&actorId=${root.user.id}`)
  expect(items.map((e) => [e.action, e.reason])).toEqual([
    ['hold:release', '法院要求保全证据'],
    ['hold:place', '法院要求保全证据'],
  ])
})

test('the holds fit a phone, in English, and another admin may have been quicker', async ({ server, browserOf }) => {
  const mary = await Person.register(server.url, 'patient', `Mary ${'Long-Name '.repeat(6)}`.trim(), 'en')
  const root = await Person.logIn(server.url, admin.email, admin.password)
  await root.ask('POST', `/admin/users/${mary.user.id}/hold`, { reason: `Complaint\n${'2026-117/'.repeat(40)}` })
  const page = await browserOf({ width: 390, locale: 'en-US' })
  await speak(page, 'en')
  await logIn(page, admin.email, admin.password, '/admin/holds')
  const held = page.locator(`[data-hold="${mary.user.id}"]`)
  await expect(held).toContainText('Placed by')
  await axe(page, 'holds')
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)

  await held.getByRole('button', { name: /^Lift hold on Mary/ }).click()
  await root.ask('DELETE', `/admin/users/${mary.user.id}/hold`)
  await page.getByRole('dialog').getByRole('button', { name: 'Lift hold' }).click()
  await expect(page.getByText('Not found. It may have been removed.')).toBeVisible()
  await expect(held).toHaveCount(0)
})

test('screens of legal holds', async ({ server, browserOf }) => {
  const root = await Person.logIn(server.url, admin.email, admin.password)
  for (const [width, locale] of looks) {
    const en = locale === 'en'
    const page = await browserOf({ width, locale })
    await speak(page, locale)
    const shoot = (name: string) => page.screenshot({ path: `test-results/shots/holds-${name}-${width}-${locale}.png` })
    await logIn(page, admin.email, admin.password, '/admin/holds')
    if (width === 1440) await shoot('none')
    const [bo, li] = await Promise.all([Person.register(server.url, 'patient', en ? 'Bo Zhang' : '张波'), Person.practise(server.url, en ? 'Dr Li Na' : '李娜')])
    await root.ask('POST', `/admin/users/${bo.user.id}/hold`, { reason: en ? 'Court order 2026-117, until the verdict' : '法院（2026）117 号调查令，判决生效前' })
    await root.ask('POST', `/admin/users/${li.user.id}/hold`, { reason: en ? 'Complaint to the health commission.\n'.repeat(6) : '卫生健康委员会受理的投诉，需要保全全部诊疗记录。'.repeat(6) })
    await page.reload()
    await expect(page.locator(`[data-hold="${bo.user.id}"]`)).toBeVisible()
    await shoot('list')
    await page.locator(`[data-hold="${bo.user.id}"]`).getByRole('button').click()
    await expect(page.locator('.el-message-box')).toBeVisible()
    await shoot('lift')
    await page.goto('/admin/users')
    await expect(page.locator('.held').first()).toBeVisible()
    await shoot('users')
    await page.locator('.person', { hasNot: page.locator('.held') }).getByRole('button').first().click()
    await expect(page.getByRole('dialog')).toBeVisible()
    await shoot('why')
    for (const person of [bo, li]) await root.ask('DELETE', `/admin/users/${person.user.id}/hold`)
  }
})
