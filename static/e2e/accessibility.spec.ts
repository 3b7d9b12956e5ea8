import { expect, logIn, password, Person, test } from './world'
import { axe, axeInBothWidths } from './world/axe'
import { admin } from './world/server'

test('axe finds nothing, on a phone and on a desk', async ({ browserOf, server }) => {
  test.setTimeout(480_000)
  const doctor = await Person.practise(server.url, '周医生', { bio: '擅长呼吸道疾病。' })
  await doctor.ask('PUT', '/me/quick-replies', { items: [{ id: 'a', text: '您好' }] })
  const patient = await Person.register(server.url, 'patient', '小李')
  const c = await patient.consult(doctor)
  await doctor.accept(c)
  await patient.say(c, '医生您好')
  await doctor.say(c, '您好，请讲')
  const other = await Person.register(server.url, 'patient', '小王')
  const queued = await other.consult(doctor)

  const guest = await browserOf()
  for (const path of ['/login', '/register', '/doctors', '/nowhere']) {
    await guest.goto(path)
    await axeInBothWidths(guest, path)
  }
  const mine = await browserOf()
  await logIn(mine, patient.user.email, password)
  for (const path of [`/doctors/${doctor.user.id}`, `/doctors/${doctor.user.id}/consult`, '/consultations', '/account', `/consultations/${c.id}`]) {
    await mine.goto(path)
    await axeInBothWidths(mine, path)
  }
  for (const width of [390, 1440]) {
    await mine.setViewportSize({ width, height: 844 })
    await mine.locator('article').first().hover()
    await mine.locator('article').first().getByRole('button', { name: '消息操作' }).click()
    await axe(mine, `message menu at ${width} px`)
    await mine.keyboard.press('Escape')
  }
  const theirs = await browserOf()
  await logIn(theirs, doctor.user.email, password)
  for (const path of ['/desk', '/desk/profile', '/desk/replies', `/consultations/${c.id}`]) {
    await theirs.goto(path)
    await axeInBothWidths(theirs, path)
  }
  await theirs.getByRole('button', { name: '转线下' }).click()
  await axeInBothWidths(theirs, 'dialog')
  const waiting = await browserOf()
  await logIn(waiting, other.user.email, password, `/consultations/${queued.id}`)
  await expect(waiting.getByTestId('queue-position')).toHaveText('1')
  await axeInBothWidths(waiting, 'waiting room')
  const root = await browserOf()
  await logIn(root, admin.email, admin.password)
  await axeInBothWidths(root, '/admin')
})

test('log in and send a message with the keyboard alone', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '周医生')
  const patient = await Person.register(server.url, 'patient', '小李')
  const c = await patient.consult(doctor)
  await doctor.accept(c)
  const page = await browserOf()
  const focused = () =>
    page.evaluate(() => {
      const at = document.activeElement
      return at && at !== document.body ? (at.getAttribute('name') ?? at.getAttribute('aria-label') ?? at.textContent?.trim()) : ''
    })
  const tabTo = async (what: string | RegExp) => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab')
      const now = (await focused()) ?? ''
      if (typeof what === 'string' ? now === what : what.test(now)) return
    }
    throw new Error(`the Tab key never reaches ${what}`)
  }

  await page.goto('/login')
  await expect(page.locator('input[name=email]')).toBeVisible()
  await tabTo('email')
  await page.keyboard.type(patient.user.email)
  await tabTo('password')
  await page.keyboard.type(password)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/doctors$/)
  await tabTo(/我的问诊/)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/consultations$/)
  await expect(page.getByRole('link', { name: /周医生/ })).toBeVisible()
  await tabTo(/周医生/)
  await page.keyboard.press('Enter')
  const box = page.getByRole('textbox', { name: '输入消息' })
  await expect(box).toBeVisible()
  if (!(await box.evaluate((element) => element === document.activeElement))) await tabTo('输入消息')
  await page.keyboard.type('第一行')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.type('第二行')
  await page.keyboard.press('Enter')
  await expect(page.locator('article .text')).toHaveText('第一行\n第二行')
  await expect(page.locator('[data-tick=sent], [data-tick=delivered], [data-tick=read]')).toHaveCount(1)

  // The message's menu opens, moves and closes by keys.
  const menu = page.getByRole('button', { name: '消息操作' })
  await menu.focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menuitem').first()).toBeFocused()
  await page.keyboard.press('ArrowDown')
  await expect(page.getByRole('menuitem').nth(1)).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(menu).toBeFocused()
})
