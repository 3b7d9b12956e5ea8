import { readFile } from 'node:fs/promises'
import { expect, logIn, password, Person, test } from './world'
import { axe, settled } from './world/axe'
import { looks, speak } from './world/looks'

test('a patient takes their data along, from the keyboard, in either language', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '周医生')
  const patient = await Person.register(server.url, 'patient', '小李')
  await patient.consult(doctor)
  const page = await browserOf()
  await logIn(page, patient.user.email, password, '/account')
  const mine = page.getByRole('region', { name: '我的数据' })
  await expect(mine.getByText('请妥善保管')).toBeVisible()
  const coming = page.waitForEvent('download')
  await mine.getByRole('button', { name: '下载我的数据' }).press('Enter')
  const download = await coming
  expect(download.suggestedFilename()).toMatch(/^wenzhen-\d{4}-\d\d-\d\d\.zip$/)
  const archive = await readFile(await download.path())
  expect(archive.subarray(0, 4).toString('latin1')).toBe('PK\x03\x04')
  expect(archive.includes('fhir.json')).toBe(true)
  await expect(page.getByText('数据已保存')).toBeVisible()
  await page.evaluate(() => localStorage.setItem('wenzhen.locale', 'en'))
  await page.reload()
  await expect(page.getByRole('region', { name: 'Your data' }).getByRole('button', { name: 'Download my data' })).toBeVisible()
})

test('an account is deleted once nothing is in the way, and says what stays', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '周医生')
  const patient = await Person.register(server.url, 'patient', '小李')
  const c = await patient.consult(doctor)
  await doctor.accept(c)
  const page = await browserOf()
  await logIn(page, patient.user.email, password, '/account')
  const dialog = page.getByRole('dialog', { name: '注销账户？' })
  await page.getByRole('button', { name: '注销账户' }).click()
  await expect(dialog.getByText('还有未结束的问诊，请先结束或取消。')).toBeVisible()
  await dialog.getByRole('button', { name: '关闭', exact: true }).last().click()
  await expect(dialog).toBeHidden()
  await doctor.ask('POST', `/consultations/${c.id}/end`)
  await page.getByRole('button', { name: '注销账户' }).click()
  await expect(dialog.getByText('1 次问诊会保留')).toBeVisible()
  await axe(page, 'what stays', '.el-dialog')
  await dialog.getByText('我已了解，注销我的账户').click()
  await dialog.getByRole('button', { name: '注销账户' }).click()
  await expect(page).toHaveURL(/\/login|\/$/)
  await expect(page.getByText('账户已注销')).toBeVisible()
})

test('screens of one’s own data', async ({ browserOf, server }) => {
  for (const [width, locale] of looks) {
    const en = locale === 'en'
    const doctor = await Person.practise(server.url, en ? 'Dr. Wang' : '王芳')
    const patient = await Person.register(server.url, 'patient', en ? 'Bo' : '小波', locale)
    const c = await patient.consult(doctor)
    const page = await browserOf({ width, locale })
    await speak(page, locale)
    const shoot = async (name: string, fullPage = false) => {
      await settled(page)
      await page.screenshot({ path: `test-results/shots/own-data-${name}-${width}-${locale}.png`, fullPage })
    }
    await logIn(page, patient.user.email, password, '/account')
    await shoot('account', true)
    const erase = page.locator('.el-button--danger.is-plain').last()
    await erase.click()
    await expect(page.locator('.el-dialog li')).toBeVisible()
    await shoot('blocked')
    await page.keyboard.press('Escape')
    await doctor.accept(c)
    await doctor.ask('POST', `/consultations/${c.id}/end`)
    await erase.click()
    await expect(page.locator('.el-dialog .el-checkbox')).toBeVisible()
    await page.locator('.el-dialog .el-checkbox').click()
    await shoot('erase')
  }
})
