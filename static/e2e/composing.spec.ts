import { devices } from '@playwright/test'
import { expect, logIn, password, Person, test } from './world'

// Keyboards of phones compose every word until a space comes.
test('a word that is still being composed can be sent', async ({ browser, server }) => {
  const doctor = await Person.practise(server.url, '郑医生')
  const patient = await Person.register(server.url, 'patient', '小何')
  const c = await patient.consult(doctor)
  await doctor.accept(c)
  const context = await browser.newContext({ ...devices['Pixel 7'], baseURL: server.url, locale: 'zh-CN', timezoneId: 'Asia/Shanghai' })
  const page = await context.newPage()
  await logIn(page, patient.user.email, password, `/consultations/${c.id}`)
  const box = page.getByRole('textbox', { name: '输入消息' })
  const send = page.getByRole('button', { name: '发送', exact: true })
  await box.tap()
  await expect(send).toBeHidden()
  const keyboard = await context.newCDPSession(page)
  await keyboard.send('Input.imeSetComposition', { text: 'Yes', selectionStart: 3, selectionEnd: 3 })
  await expect(send).toBeVisible()
  await send.tap()
  await expect(page.locator('article .text')).toHaveText(['Yes'])
  await expect(box).toHaveValue('')

  // Searches follow, too.
  await page.goto('/doctors')
  await page.getByRole('textbox', { name: '搜索姓名' }).tap()
  await keyboard.send('Input.imeSetComposition', { text: 'nobody', selectionStart: 6, selectionEnd: 6 })
  await expect(page.getByText('没有找到合适的医生')).toBeVisible()
  await context.close()
})
