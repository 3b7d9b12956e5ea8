import type { Page } from '@playwright/test'
import { expect, password, Person, test } from './world'
import { picture } from './world/picture'

// The main job, as two people do it in two browsers.

async function register(page: Page, role: 'patient' | 'doctor', name: string, email: string) {
  await page.goto('/register')
  await page.locator(`input[value=${role}]`).check()
  await page.getByLabel('姓名').fill(name)
  await page.getByLabel('邮箱').fill(email)
  await page.locator('input[name=password]').fill(password)
  await page.getByRole('button', { name: '注册' }).click()
  await page.waitForURL((url) => url.pathname !== '/register')
}

const lastTick = (page: Page) => page.locator('[data-tick]').last()

test('patient and doctor register, meet, talk and part', async ({ browserOf, server }) => {
  const patient = await browserOf()
  const doctor = await browserOf()
  const stamp = Date.now()
  const doctorName = `林清${stamp}`

  await register(doctor, 'doctor', doctorName, `doctor-${stamp}@e2e.example`)
  await expect(doctor).toHaveURL(/\/desk\/profile$/)
  const doctorId = await doctor.evaluate(() => (JSON.parse(localStorage.getItem('wenzhen.login') ?? '') as { user: { id: string } }).user.id)
  await Person.verify(server.url, doctorId)

  await doctor.getByRole('button', { name: '添加服务' }).click()
  await doctor.getByRole('button', { name: '保存' }).click()
  await expect(doctor.getByText('已保存')).toBeVisible()
  await doctor.goto('/desk')
  await expect(doctor.getByText('暂无患者候诊')).toBeVisible()
  const duty = doctor.getByRole('switch')
  if ((await duty.getAttribute('aria-checked')) !== 'true') await doctor.locator('.duty').click()
  await expect(duty).toHaveAttribute('aria-checked', 'true')

  await register(patient, 'patient', '张波', `patient-${stamp}@e2e.example`)
  await patient.goto('/doctors')
  await patient.getByRole('textbox', { name: '搜索姓名' }).fill(doctorName)
  await patient.getByRole('link', { name: new RegExp(doctorName) }).click()
  await patient.getByRole('link', { name: '立即咨询' }).or(patient.getByRole('button', { name: '立即咨询' })).click()
  await patient.getByRole('textbox', { name: '哪里不舒服' }).fill('咳嗽一周，夜里加重。')
  await patient.getByRole('button', { name: '提交问诊' }).click()
  await expect(patient.getByText('请勾选后继续')).toBeVisible()
  await patient.getByText('我了解线上问诊的局限').click()
  await patient.getByRole('button', { name: '提交问诊' }).click()

  // The queue, on both sides and without a reload.
  await expect(patient.getByTestId('queue-position')).toHaveText('1')
  const queued = doctor.locator('.queued')
  await expect(queued).toContainText('咳嗽一周')
  await queued.getByRole('button', { name: '接诊', exact: true }).click()
  await expect(doctor).toHaveURL(/\/consultations\//)
  await expect(patient.locator('.banner.active')).toBeVisible()

  // Words, typing and ticks. The doctor is notified of a message on the desk, too.
  await doctor.goto('/desk')
  await patient.getByRole('textbox', { name: '输入消息' }).fill('医生您好')
  await patient.keyboard.press('Enter')
  await expect(lastTick(patient)).toHaveAttribute('data-tick', 'delivered')
  const row = doctor.locator('a.row', { hasText: '张波' })
  await expect(row).toContainText('1 条未读')
  await row.click()
  await expect(lastTick(patient)).toHaveAttribute('data-tick', 'read')
  await doctor.getByRole('textbox', { name: '输入消息' }).pressSequentially('您好', { delay: 30 })
  await expect(patient.getByText(/正在输入/)).toBeVisible()
  await doctor.keyboard.press('Enter')
  await expect(patient.getByText(/正在输入/)).toBeHidden()
  await expect(patient.locator('article', { hasText: '您好' }).last()).toBeVisible()
  await expect(lastTick(doctor)).toHaveAttribute('data-tick', 'read')

  // A picture, seen by the other side and opened.
  await patient.getByTestId('image-input').setInputFiles({ name: 'throat.png', mimeType: 'image/png', buffer: picture() })
  const image = doctor.getByRole('img', { name: 'throat.png' })
  await expect(image).toBeVisible()
  await expect.poll(() => image.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0)
  await image.click()
  await expect(doctor.locator('.el-image-viewer__img')).toBeVisible()
  await doctor.keyboard.press('Escape')
  await expect(doctor.locator('.el-image-viewer__img')).toBeHidden()

  // A file, fetched back byte by byte.
  await doctor.getByTestId('file-input').setInputFiles({ name: '化验单.txt', mimeType: 'text/plain', buffer: Buffer.from('WBC 6.1') })
  const download = patient.waitForEvent('download')
  await patient.getByRole('button', { name: /化验单.*下载/ }).click()
  const saved = await download
  expect(saved.suggestedFilename()).toBe('化验单.txt')
  const chunks: Buffer[] = []
  for await (const chunk of await saved.createReadStream()) chunks.push(chunk as Buffer)
  expect(Buffer.concat(chunks).toString()).toBe('WBC 6.1')

  // An answer to one message, with a way back to it.
  const question = doctor.locator('article', { hasText: '医生您好' })
  await question.hover()
  await question.getByRole('button', { name: '消息操作' }).click()
  await doctor.getByRole('menuitem', { name: '回复' }).click()
  await doctor.getByRole('textbox', { name: '输入消息' }).fill('多喝水')
  await doctor.keyboard.press('Enter')
  const answer = patient.locator('article', { hasText: '多喝水' })
  await expect(answer.getByRole('button', { name: /跳到/ })).toContainText('医生您好')

  // A word taken back.
  await patient.getByRole('textbox', { name: '输入消息' }).fill('说错了')
  await patient.keyboard.press('Enter')
  const wrong = patient.locator('article', { hasText: '说错了' })
  await expect(wrong.locator('[data-tick=read]')).toBeVisible()
  await wrong.hover()
  await wrong.getByRole('button', { name: '消息操作' }).click()
  await patient.getByRole('menuitem', { name: '撤回' }).click()
  await patient.getByRole('button', { name: '撤回' }).click()
  await expect(doctor.getByText('张波撤回了一条消息')).toBeVisible()
  await expect(doctor.getByText('说错了')).toHaveCount(0)

  // Found again by a word in Chinese.
  await patient.getByRole('button', { name: '搜索本次问诊' }).click()
  await patient.getByRole('textbox', { name: '搜索本次问诊' }).fill('喝水')
  await patient.locator('.found a').first().click()
  await expect(patient.locator('article.flashed')).toContainText('多喝水')

  // Paused, resumed, ended; then the patient asks once more.
  await doctor.getByRole('button', { name: '暂停' }).click()
  await doctor.getByRole('dialog').getByRole('textbox').fill('等化验结果')
  await doctor.getByRole('dialog').getByRole('button', { name: '暂停' }).click()
  await expect(patient.locator('.banner.on_hold')).toContainText('等化验结果')
  await doctor.getByRole('button', { name: '继续问诊' }).click()
  await expect(patient.locator('.banner.active')).toBeVisible()
  await doctor.getByRole('button', { name: '结束问诊' }).click()
  await doctor.getByRole('dialog').getByRole('button', { name: '结束问诊' }).click()
  await expect(patient.locator('.banner.ended')).toBeVisible()
  await expect(patient.getByRole('textbox', { name: '输入消息' })).toHaveCount(0)
  await patient.getByRole('button', { name: '我要追问' }).click()
  await expect(doctor.locator('.banner.active')).toContainText('追问')
})

test('a doctor declines with a reason, which the patient sees', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '周医生')
  const patient = await Person.register(server.url, 'patient', '小李')
  const { id } = await patient.consult(doctor)
  const [theirs, mine] = [await browserOf(), await browserOf()]
  for (const [page, person] of [
    [theirs, doctor],
    [mine, patient],
  ] as const) {
    await page.goto('/login')
    await page.getByLabel('邮箱').fill(person.user.email)
    await page.locator('input[name=password]').fill(password)
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.pathname !== '/login')
  }
  await mine.goto(`/consultations/${id}`)
  await theirs.getByRole('button', { name: '暂不接诊' }).click()
  await theirs.getByRole('dialog').getByRole('textbox').fill('请看呼吸科')
  await theirs.getByRole('dialog').getByRole('button', { name: '暂不接诊' }).click()
  await expect(mine.locator('.banner.declined')).toContainText('请看呼吸科')
  await expect(theirs.locator('.queued')).toHaveCount(0)
})

test('history of 180 messages scrolls up to its beginning, each once', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '周医生')
  const patient = await Person.register(server.url, 'patient', '小李')
  const c = await patient.consult(doctor)
  await doctor.accept(c)
  for (let n = 1; n <= 180; n++) await (n % 2 ? patient : doctor).say(c, `第 ${n} 条`)
  const page = await browserOf({ width: 390 })
  await page.goto('/login')
  await page.getByLabel('邮箱').fill(patient.user.email)
  await page.locator('input[name=password]').fill(password)
  await page.keyboard.press('Enter')
  await page.waitForURL((url) => url.pathname !== '/login')
  await page.goto(`/consultations/${c.id}`)
  await expect(page.getByText('第 180 条', { exact: true })).toBeInViewport()
  const scroller = page.locator('.scroller')
  /** Scrolls up, and looks at once whether the first message can be seen: what loads moves the rest down. */
  const atTheBeginning = () =>
    scroller.evaluate((box) => {
      box.scrollTop = 0
      const first = [...box.querySelectorAll('article .text')].find((text) => text.textContent === '第 1 条')
      const [seen, place] = [box.getBoundingClientRect(), first?.getBoundingClientRect()]
      return place !== undefined && place.top >= seen.top && place.bottom <= seen.bottom
    })
  await expect.poll(atTheBeginning, { timeout: 60_000 }).toBe(true)
  const shown = await page.locator('article .text').allInnerTexts()
  expect(shown).toEqual(Array.from({ length: 180 }, (_, i) => `第 ${i + 1} 条`))
})
