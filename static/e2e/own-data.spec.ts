import { readFile } from 'node:fs/promises'
import { expect, logIn, password, Person, test } from './world'

test('a patient takes their data along, from the keyboard, in either language', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '周医生')
  const patient = await Person.register(server.url, 'patient', '小李')
  await patient.consult(doctor)
  const page = await browserOf()
  await logIn(page, patient.user.email, password)
  await page.goto('/account')
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
