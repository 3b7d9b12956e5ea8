import { expect, logIn, password, Person, test } from './world'

test('what is written offline is kept across a reload and sent once, in order', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '周医生')
  const patient = await Person.register(server.url, 'patient', '小李')
  const c = await patient.consult(doctor)
  await doctor.accept(c)
  const [mine, theirs] = [await browserOf(), await browserOf()]
  await logIn(mine, patient.user.email, password)
  await logIn(theirs, doctor.user.email, password)
  for (const page of [mine, theirs]) {
    await page.goto(`/consultations/${c.id}`)
    await expect(page.locator('.banner.active')).toBeVisible()
  }
  const box = mine.getByRole('textbox', { name: '输入消息' })
  await box.fill('还在线')
  await box.press('Enter')
  await expect(mine.locator('[data-tick=read]')).toHaveCount(1)

  await mine.context().setOffline(true)
  await expect(mine.getByTestId('offline-banner')).toBeVisible()
  for (const text of ['一', '二', '三']) {
    await box.fill(text)
    await box.press('Enter')
  }
  await box.fill('写到一半')
  await expect(mine.locator('[data-tick=sending]')).toHaveCount(3)

  // Opened again while only the socket is out of reach: all is still there.
  const context = mine.context()
  await mine.close()
  const cut = await context.newPage()
  await cut.route('**/socket.io/**', (route) => route.abort())
  await cut.routeWebSocket('**/socket.io/**', (socket) => socket.close())
  await context.setOffline(false)
  await cut.goto(`/consultations/${c.id}`)
  await expect(cut.locator('article .text')).toHaveText(['一', '二', '三'])
  await expect(cut.locator('[data-tick=sending]')).toHaveCount(3)
  await expect(cut.getByTestId('offline-banner')).toBeVisible()
  await cut.close()

  const again = await context.newPage()
  await again.goto(`/consultations/${c.id}`)
  await expect(again.locator('article .text')).toHaveText(['还在线', '一', '二', '三'])
  await expect(again.locator('[data-tick=read]')).toHaveCount(4)
  await expect(again.getByTestId('offline-banner')).toBeHidden()
  await expect(theirs.locator('article .text')).toHaveText(['还在线', '一', '二', '三'])
  await expect(again.getByRole('textbox', { name: '输入消息' })).toHaveValue('写到一半')
})

test('a message that the server refuses says why, and can be discarded', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '周医生')
  const patient = await Person.register(server.url, 'patient', '小李')
  const c = await patient.consult(doctor)
  await doctor.accept(c)
  const mine = await browserOf()
  await logIn(mine, patient.user.email, password, `/consultations/${c.id}`)
  await expect(mine.locator('.banner.active')).toBeVisible()
  await mine.context().setOffline(true)
  await expect(mine.getByTestId('offline-banner')).toBeVisible()
  const box = mine.getByRole('textbox', { name: '输入消息' })
  await box.fill('太晚了')
  await box.press('Enter')
  await doctor.ask('POST', `/consultations/${c.id}/end`)
  await mine.context().setOffline(false)
  await expect(mine.getByText('未发送。')).toBeVisible()
  await expect(mine.locator('[data-tick=failed]')).toHaveCount(1)
  await mine.getByRole('button', { name: '删除' }).click()
  await expect(mine.getByText('太晚了')).toHaveCount(0)
})

test('a revoked session goes to the login page and says so', async ({ browserOf, server }) => {
  const patient = await Person.register(server.url, 'patient', '小李')
  const page = await browserOf()
  await logIn(page, patient.user.email, password, '/consultations')
  await expect(page.getByText('没有进行中的问诊', { exact: true })).toBeVisible()
  const sessions = await patient.ask<{ items: { id: string; current: boolean }[] }>('GET', '/auth/sessions')
  for (const session of sessions.items) if (!session.current) await patient.ask('DELETE', `/auth/sessions/${session.id}`)
  await expect(page).toHaveURL(/\/login/)
  await expect(page.getByText('此设备已被退出登录')).toBeVisible()
})

test('logging out in one tab logs out the other, and two tabs share one login', async ({ browserOf, server }) => {
  const patient = await Person.register(server.url, 'patient', '小李')
  const one = await browserOf()
  await logIn(one, patient.user.email, password)
  const two = await one.context().newPage()
  await two.goto('/account')
  await expect(two.getByRole('heading', { name: '小李' })).toBeVisible()
  await one.goto('/account')
  await one.locator('header').getByRole('button', { name: '退出登录' }).click()
  await expect(two).toHaveURL(/\/login/)
})
