import { expect, logIn, password, Person, test, WenzhenServer } from './world'

test('tokens of a few seconds: two tabs stay logged in and connected, and lose nothing', async ({ browser }) => {
  const server = await WenzhenServer.start('--access-life', '4s')
  try {
    const doctor = await Person.practise(server.url, '周医生')
    const patient = await Person.register(server.url, 'patient', '小李')
    const c = await patient.consult(doctor)
    const context = await browser.newContext({ baseURL: server.url, locale: 'zh-CN' })
    const one = await context.newPage()
    await logIn(one, patient.user.email, password)
    const two = await context.newPage()
    const token = () => one.evaluate(() => (JSON.parse(localStorage.getItem('wenzhen.login') ?? '{}') as { refreshToken?: string }).refreshToken)
    for (const page of [one, two]) await page.goto(`/consultations/${c.id}`)

    for (let n = 1; n <= 6; n++) {
      const before = await token()
      const page = n % 2 ? one : two
      await page.getByRole('textbox', { name: '输入消息' }).fill(`第 ${n} 条`)
      await page.keyboard.press('Enter')
      await expect(page.locator('article .text').last()).toHaveText(`第 ${n} 条`)
      await expect(page.locator('[data-tick=sending], [data-tick=failed]')).toHaveCount(0)
      // Before the third and the fifth message, one from each tab later, the life of a token has passed.
      if (n % 2 === 0 && n < 6) await expect.poll(token, { message: 'the refresh token is renewed' }).not.toBe(before)
    }
    for (const page of [one, two]) {
      await expect(page).toHaveURL(new RegExp(c.id))
      await expect(page.locator('article .text')).toHaveCount(6)
      await expect(page.getByTestId('offline-banner')).toBeHidden()
    }
  } finally {
    await server.stop()
  }
})
