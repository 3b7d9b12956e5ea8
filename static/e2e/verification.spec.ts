import type { Applicant, Doctor } from '../src/api/wire.gen'
import { expect, logIn, password, Person, test } from './world'
import { axe } from './world/axe'
import { speak } from './world/looks'
import { admin } from './world/server'
import { totp } from './world/totp'

// An admin reviews doctors, with reasons; what a doctor changes of it is reviewed again.

test('a doctor who changes the licence is reviewed again, rejected with a reason, and verified', async ({ server, browserOf }) => {
  const name = `审医生${Date.now() % 100_000}`
  const wang = await Person.practise(server.url, name)
  const practice = await browserOf({ width: 390 })
  await logIn(practice, wang.user.email, password, '/desk/profile')
  await expect(practice.getByText('已通过核验')).toBeVisible()
  await practice.getByRole('textbox', { name: '执业证书编号' }).fill('110110000099999')
  await practice.getByRole('button', { name: '保存' }).click()
  await expect(practice.getByText('尚待管理员核验')).toBeVisible()

  const page = await browserOf({ width: 1440 })
  await logIn(page, admin.email, admin.password, '/admin/doctors')
  const waiting = page.getByRole('region', { name: '待核验' }).getByRole('listitem').filter({ hasText: name })
  await expect(waiting).toContainText('110110000099999')
  await expect(waiting).toContainText(wang.user.email)
  await expect(waiting).toContainText('此前核验的是：未填写')
  await axe(page, 'doctors')
  await waiting.getByRole('button', { name: `不通过：${name}` }).click()
  const dialog = page.getByRole('dialog', { name: `不通过：${name}` })
  await expect(dialog.getByRole('button', { name: '不通过' })).toBeDisabled()
  await dialog.getByRole('textbox', { name: '原因（医生可见）' }).fill('编号查无此人')
  await dialog.getByRole('button', { name: '不通过' }).click()
  await expect(page.getByRole('region', { name: '未通过核验' }).getByRole('listitem').filter({ hasText: name })).toContainText('原因：编号查无此人')

  await practice.goto('/desk/profile')
  await expect(practice.getByText('您的资料未通过核验：编号查无此人')).toBeVisible()
  await axe(practice, 'profile')
  await page.getByRole('button', { name: `核验通过：${name}` }).click()
  await expect(page.getByRole('region', { name: '已核验' }).getByRole('listitem').filter({ hasText: name })).toBeVisible()
  expect((await wang.ask<{ doctor: Doctor }>('GET', '/me')).doctor).toMatchObject({ verified: true, licence: '110110000099999' })

  await page.getByRole('button', { name: `撤销核验：${name}` }).click()
  const withdrawal = page.getByRole('dialog', { name: `撤销核验：${name}` })
  await expect(withdrawal).toContainText('患者将找不到这位医生')
  await withdrawal.getByRole('textbox', { name: '原因（医生可见）' }).fill('证书已过期')
  await withdrawal.getByRole('button', { name: '撤销核验' }).click()
  await expect(page.getByRole('region', { name: '未通过核验' }).getByRole('listitem').filter({ hasText: name })).toContainText('原因：证书已过期')
  await practice.goto('/desk/profile')
  await expect(practice.getByText('您的资料未通过核验：证书已过期')).toBeVisible()
  expect((await wang.ask<{ doctor: Doctor }>('GET', '/me')).doctor).toMatchObject({ verified: false })
})

test('an admin lifts a suspension and ends what is stuck, on a phone, in English', async ({ server, browserOf }) => {
  const stamp = Date.now() % 100_000
  const [bo, wang] = await Promise.all([Person.register(server.url, 'patient', `Bo ${stamp}`, 'en'), Person.practise(server.url, `Wang ${stamp}`)])
  const c = await bo.consult(wang, 'stuck')
  await wang.accept(c)
  const page = await browserOf({ width: 390, locale: 'en-US' })
  await speak(page, 'en')
  await logIn(page, admin.email, admin.password, '/admin/glass')
  const row = page.locator(`[data-case="${c.id}"]`)
  await page.getByRole('textbox').first().fill(`Bo ${stamp}`)
  await row.getByRole('button', { name: 'End', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: `End the consultation of Bo ${stamp}` })
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('The doctor is ill')
  await dialog.getByRole('button', { name: 'End', exact: true }).click()
  await expect(row).toContainText('Ended')

  await page.getByRole('navigation', { name: 'Administration' }).getByRole('link', { name: 'Users' }).click()
  await page.getByRole('textbox').first().fill(wang.user.email)
  const person = page.getByRole('list', { name: 'Users' }).getByRole('listitem')
  await expect(person).toHaveCount(1)
  const { secret } = await wang.ask<{ secret: string }>('POST', '/me/totp')
  await wang.ask('POST', '/me/totp/confirm', { otp: totp(secret) })
  const reset = person.getByRole('button', { name: `Reset two-factor authentication of Wang ${stamp}` })
  for (const answer of [`Wang ${stamp} has been reset`, 'This account doesn’t use two-factor authentication.']) {
    await reset.click()
    await page.getByRole('dialog').getByRole('button', { name: 'Reset two-factor authentication' }).click()
    await expect(page.getByText(answer)).toBeVisible()
  }
  await person.getByRole('button', { name: `Suspend Wang ${stamp}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click()
  await expect(person.getByText('Suspended')).toBeVisible()
  await axe(page, 'users')
  await person.getByRole('button', { name: `Lift suspension of Wang ${stamp}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Lift suspension' }).click()
  await expect(person.getByText('Suspended')).toHaveCount(0)
  const root = await Person.logIn(server.url, admin.email, admin.password)
  const doctors = await root.ask<{ items: Applicant[] }>('GET', '/admin/doctors?limit=100')
  expect(doctors.items.some((d) => d.id === wang.user.id)).toBe(true)
})
