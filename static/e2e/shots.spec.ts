import type { Page } from '@playwright/test'
import type { Consultation } from '../src/api/wire.gen'
import { expect, logIn, password, Person, test } from './world'
import { picture } from './world/picture'
import { admin } from './world/server'

// Pictures of every screen, to be looked at: test-results/shots. What a
// picture shows but an eye may miss is checked here: no page scrolls sideways
// and no text is left untranslated.

const long = '我从上个月开始反复头痛，尤其是下午加班之后，两侧太阳穴有压迫感，有时伴随恶心，休息一晚能缓解。'.repeat(3)

interface Scene {
  patient: Person
  doctor: Person
  active: Consultation
  waiting: Consultation
  ended: Consultation
}

async function setScene(url: string, en: boolean): Promise<Scene> {
  const doctor = await Person.practise(url, en ? 'Dr. Alexandra Featherstonehaugh-Montgomery' : '欧阳明月', {
    title: '副主任医师',
    department: '心血管内科',
    bio: en
      ? 'Twenty years in cardiology. Hypertension, coronary heart disease and heart failure in the long run.\nI answer within two hours on working days.'
      : '二十年心血管内科临床经验，擅长高血压、冠心病与心力衰竭的长期管理。\n工作日两小时内回复。',
    languages: ['zh', 'en'],
  })
  await doctor.ask('PUT', '/me/quick-replies', {
    items: [
      { id: 'a', text: en ? 'How long have you had these symptoms?' : '请问症状持续多久了？' },
      { id: 'b', text: en ? 'Any allergies to medicines?' : '有没有药物过敏史？' },
    ],
  })
  await Person.practise(url, en ? 'Li Na' : '李娜', { department: '皮肤科', onDuty: false })
  await Person.register(url, 'doctor', en ? 'Chen Wei' : '陈伟')
  const patient = await Person.register(url, 'patient', en ? 'Bo Zhang' : '张波', en ? 'en' : 'zh-CN')
  const other = await Person.register(url, 'patient', en ? 'Maria del Carmen Rodríguez de la Fuente' : '王小明')

  const ended = await patient.consult(doctor, en ? 'A rash on my arm for three days.' : '手臂上起了红疹，三天了。')
  await doctor.accept(ended)
  await doctor.say(ended, en ? 'Stop using the new detergent.' : '先停用新的洗衣液。')
  await doctor.ask('POST', `/consultations/${ended.id}/end`)

  const waiting = await other.consult(doctor, long)
  const active = await patient.consult(doctor, en ? 'Dizzy in the morning; blood pressure 150/95.' : '最近早上头晕，血压 150/95。')
  await doctor.accept(active)
  const say = async (who: Person, zh: string, english: string) => who.say(active, en ? english : zh)
  await say(patient, '医生您好，这两周早上起来头晕。', 'Hello doctor, I have been dizzy in the mornings for two weeks.')
  await say(doctor, '您好！血压是每天同一时间量的吗？', 'Hello! Do you measure at the same time every day?')
  await say(patient, '早上七点左右，150/95 上下。', 'Around seven, about 150/95.')
  await say(doctor, en ? long : long, long)
  return { patient, doctor, active, waiting, ended }
}

for (const [device, width] of [
  ['phone', 390],
  ['desktop', 1440],
] as const) {
  for (const locale of ['zh-CN', 'en'] as const) {
    test(`screens on a ${device} in ${locale}`, async ({ browserOf, server }) => {
      test.setTimeout(180_000)
      const en = locale === 'en'
      const scene = await setScene(server.url, en)
      const shoot = async (page: Page, name: string) => {
        await expect(page.locator('.el-skeleton')).toHaveCount(0)
        await page.waitForTimeout(350) // transitions
        await page.screenshot({ path: `test-results/shots/${device}-${locale}-${name}.png`, fullPage: true })
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
        expect(sideways, `${name} scrolls sideways`).toBeLessThanOrEqual(0)
        const text = await page.locator('body').innerText()
        expect(text, `${name} shows a key instead of text`).not.toMatch(/\b(chat|desk|doctors|consult|list|auth|account|admin|state|note|info|move|waiting|profile|replies|failure|status)\.[a-z]+[A-Za-z.]*\b/)
      }

      const visit = async () => {
        const page = await browserOf({ width, locale })
        // As someone who has chosen the language: an account may prefer another.
        await page.addInitScript((chosen) => localStorage.setItem('wenzhen.locale', chosen), locale)
        return page
      }
      const guest = await visit()
      for (const [path, name] of [
        ['/login', 'login'],
        ['/register', 'register'],
        ['/doctors', 'doctors'],
        ['/nowhere', 'lost'],
      ] as const) {
        await guest.goto(path)
        await guest.waitForLoadState('networkidle')
        await shoot(guest, name)
      }
      await guest.goto('/doctors')
      await guest.locator('.filters input').first().fill('zzzzz')
      await expect(guest.locator('.empty')).toBeVisible()
      await shoot(guest, 'doctors-none')

      const patient = await visit()
      await logIn(patient, scene.patient.user.email, password, `/doctors/${scene.doctor.user.id}`)
      await shoot(patient, 'doctor')
      await patient.goto(`/doctors/${scene.doctor.user.id}/consult?service=followup&medium=text`)
      await shoot(patient, 'consult')
      await patient.locator('form button[type=submit]').click()
      await patient.goto('/consultations')
      await expect(patient.locator('.row').first()).toBeVisible()
      await shoot(patient, 'consultations')
      await patient.getByRole('textbox').first().fill('150')
      await expect(patient.locator('mark').first()).toBeVisible()
      await shoot(patient, 'search')
      await patient.goto(`/consultations/${scene.ended.id}`)
      await expect(patient.locator('.banner.ended')).toBeVisible()
      await shoot(patient, 'ended')
      await patient.goto('/account')
      await shoot(patient, 'account')

      const doctor = await visit()
      await logIn(doctor, scene.doctor.user.email, password)
      await expect(doctor.locator('.queued')).toBeVisible()
      await shoot(doctor, 'desk')
      await doctor.locator('.queued button').nth(1).click()
      await expect(doctor.getByRole('dialog')).toBeVisible()
      await shoot(doctor, 'decline')
      await doctor.goto('/desk/profile')
      await shoot(doctor, 'profile')
      await doctor.goto('/desk/replies')
      await expect(doctor.locator('textarea').first()).toBeVisible()
      await shoot(doctor, 'replies')

      await doctor.goto(`/consultations/${scene.active.id}`)
      await patient.goto(`/consultations/${scene.active.id}`)
      await expect(patient.locator('article').first()).toBeVisible()
      await patient.getByTestId('image-input').setInputFiles({ name: 'arm.png', mimeType: 'image/png', buffer: picture() })
      await patient.getByTestId('file-input').setInputFiles({ name: en ? 'blood-test-results-november.txt' : '十一月血液检查报告.txt', mimeType: 'text/plain', buffer: Buffer.from('WBC 6.1') })
      await expect(doctor.locator('img')).toBeVisible()
      await expect(doctor.locator('.file')).toBeVisible()
      await doctor.locator('article').nth(2).hover()
      await doctor.locator('article').nth(2).getByRole('button').last().click()
      await shoot(doctor, 'chat-menu')
      await doctor.getByRole('menuitem').first().click()
      await doctor.locator('textarea').fill(en ? 'I see. Please rest' : '好的，请先休息')
      await expect(patient.locator('.typing')).toBeVisible()
      await shoot(patient, 'chat-patient')
      await shoot(doctor, 'chat-doctor')
      if (device === 'phone') {
        await patient.getByRole('button', { name: en ? 'About this consultation' : '问诊信息' }).click()
        await expect(patient.locator('.info')).toBeVisible()
        await shoot(patient, 'chat-info')
      }

      const third = await Person.register(server.url, 'patient', en ? 'Ada' : '小艾', locale)
      const queued = await third.consult(scene.doctor, en ? 'Coughing at night.' : '夜里咳嗽。')
      const waiting = await visit()
      await logIn(waiting, third.user.email, password, `/consultations/${queued.id}`)
      await expect(waiting.getByTestId('queue-position')).toHaveText('2')
      await shoot(waiting, 'waiting')

      const root = await visit()
      await logIn(root, admin.email, admin.password)
      await shoot(root, 'admin')
      await root.locator('.sections a').nth(1).click()
      await expect(root.locator('.users li').first()).toBeVisible()
      await shoot(root, 'admin-users')
    })
  }
}

test('screens that load, fail, are empty or offline', async ({ browserOf, server }) => {
  test.setTimeout(180_000)
  for (const [device, width] of [
    ['phone', 390],
    ['desktop', 1440],
  ] as const) {
    for (const locale of ['zh-CN', 'en'] as const) {
      const scene = await setScene(server.url, locale === 'en')
      const page = await browserOf({ width, locale })
      await page.addInitScript((chosen) => localStorage.setItem('wenzhen.locale', chosen), locale)
      const shoot = (name: string) => page.screenshot({ path: `test-results/shots/${device}-${locale}-state-${name}.png` })

      await page.goto('/login')
      await page.locator('input[name=email]').fill('nobody@e2e.example')
      await page.locator('input[name=password]').fill('wrong password')
      await page.locator('button[type=submit]').click()
      await expect(page.locator('.problem')).toBeVisible()
      await shoot('login-wrong')

      const lonely = await Person.register(server.url, 'patient', locale === 'en' ? 'Ada' : '小艾', locale)
      await logIn(page, lonely.user.email, password, '/consultations')
      await expect(page.locator('.empty')).toBeVisible()
      await shoot('empty')

      let release = () => {}
      const held = new Promise<void>((done) => (release = done))
      await page.route('**/api/v1/doctors?*', async (route) => {
        await held
        await route.fulfill({ status: 500, contentType: 'application/problem+json', body: '{"code":"internal","message":"","traceId":"4bf92f3577b34da6"}' })
      })
      await page.goto('/doctors')
      await expect(page.locator('.el-skeleton').first()).toBeVisible()
      await shoot('loading')
      release()
      await expect(page.getByRole('alert')).toContainText('4bf92f3577b34da6')
      await shoot('error')

      const c = await lonely.consult(scene.doctor)
      await page.goto('/consultations/nothing-of-mine')
      await expect(page.locator('.empty')).toBeVisible()
      await shoot('missing')
      await page.goto(`/consultations/${c.id}`)
      await expect(page.getByTestId('queue-position')).toBeVisible()
      await page.context().setOffline(true)
      await expect(page.getByTestId('offline-banner')).toBeVisible()
      await page.locator('textarea').fill(long.repeat(4))
      await page.keyboard.press('Enter')
      await page.locator('textarea').fill(`${'word '.repeat(40)}${'x'.repeat(300)}`)
      await page.keyboard.press('Enter')
      await expect(page.locator('[data-tick=sending]')).toHaveCount(2)
      await shoot('offline')
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 'scrolls sideways').toBeLessThanOrEqual(0)
      await page.context().setOffline(false)
      await page.close()
    }
  }
})
