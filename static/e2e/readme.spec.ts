import type { Page } from '@playwright/test'
import type { ConsultationOpened, ScheduleRule } from '../src/api/wire.gen'
import { expect, logIn, password, Person, test } from './world'
import { xray } from './world/picture'

// The pictures of both READMEs, written to docs/images:
// npx playwright test --grep 'screens for the README'

// The texts of the scene.
const words = {
  en: {
    doctor: 'Dr. Wang Fang',
    patient: 'Bo Zhang',
    department: 'Cardiology',
    bio: 'Twenty years in cardiology: hypertension, coronary heart disease, heart failure.\nI answer within two hours on working days.',
    complaint: 'Dizzy in the morning for two weeks; blood pressure 150/95.',
    prior: 'Hypertension, diagnosed at the city hospital in March.',
    talk: [
      'Hello doctor, I have been dizzy in the mornings for two weeks.',
      'Hello! Do you measure at the same time every day?',
      'Around seven, before breakfast: about 150/95.',
      'Thank you. I have looked at your X-ray, it is fine. Please see my diagnosis.',
    ],
    text: 'Hypertension, not sufficiently controlled.',
    advice: 'Less salt. Measure every morning and write it down.',
  },
  'zh-CN': {
    doctor: '王芳',
    patient: '张波',
    department: '心血管内科',
    bio: '二十年心血管内科临床经验，擅长高血压、冠心病与心力衰竭的长期管理。\n工作日两小时内回复。',
    complaint: '最近两周早上头晕，血压 150/95。',
    prior: '高血压，今年三月在市医院确诊。',
    talk: ['医生您好，这两周早上起来头晕。', '您好！血压是每天同一时间量的吗？', '早上七点左右，早饭前量的，150/95 上下。', '好的。片子我看过了，没有问题。诊断已发给您，请查看。'],
    text: '高血压，控制欠佳。',
    advice: '低盐饮食，每天早上测量并记录血压。',
  },
}

for (const locale of ['en', 'zh-CN'] as const) {
  test(`screens for the README in ${locale}`, async ({ browserOf, server }) => {
    test.setTimeout(180_000)
    const say = words[locale]
    const services = (['text', 'video'] as const).flatMap((medium) =>
      (['advice', 'followup'] as const).map((service) => ({ service, medium, price: 0, currency: 'CNY', minutes: 15 })),
    )
    const profile = { department: say.department, bio: say.bio, languages: ['zh', 'en'], services }
    const doctor = await Person.practise(server.url, say.doctor, profile)
    await doctor.ask('PATCH', '/me', { locale })
    const afternoon: Omit<ScheduleRule, 'weekday'> = { start: '14:00', end: '18:00', slotMinutes: 30, capacity: 2, media: ['text', 'video'] }
    const rules = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, ...afternoon }))
    await doctor.ask('PUT', '/me/schedule', { timeZone: 'Asia/Shanghai', rules })
    const patient = await Person.register(server.url, 'patient', say.patient, locale)
    const request = { doctorId: doctor.user.id, service: 'followup', medium: 'text', complaint: say.complaint, priorDiagnosis: say.prior }
    const { consultation: c } = await patient.ask<ConsultationOpened>('POST', '/consultations', request)
    await doctor.accept(c)
    for (const [i, text] of say.talk.entries()) await (i % 2 ? doctor : patient).say(c, text)
    const diagnosis = { codes: ['I10'], text: say.text, advice: say.advice }
    const draft = await doctor.ask<{ id: string }>('POST', `/consultations/${c.id}/diagnoses`, diagnosis)
    await doctor.ask('POST', `/diagnoses/${draft.id}/sign`)

    const write = async (page: Page, name: string) => {
      await expect(page.locator('.el-skeleton')).toHaveCount(0)
      await page.waitForTimeout(500) // transitions
      await page.screenshot({ path: `../docs/images/${name}.${locale}.jpg`, type: 'jpeg', quality: 82 })
    }
    const phone = await browserOf({ width: 390, locale })
    await logIn(phone, patient.user.email, password, `/consultations/${c.id}`)
    const desktop = await browserOf({ width: 1280, locale })
    await logIn(desktop, doctor.user.email, password, `/consultations/${c.id}`)
    await expect(desktop.locator('article').last()).toBeVisible()
    await write(desktop, 'consultation')

    await desktop.goto(`/consultations/${c.id}/board`)
    await expect(desktop.locator('[data-ready=true]')).toBeVisible()
    await desktop.getByTestId('background-input').setInputFiles({ name: 'xray.png', mimeType: 'image/png', buffer: xray() })
    const board = desktop.getByRole('application')
    const box = await board.boundingBox()
    if (!box) throw new Error('there is no board')
    await board.press('o')
    await desktop.mouse.move(box.x + box.width * 0.42, box.y + box.height * 0.36)
    await desktop.mouse.down()
    await desktop.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.52, { steps: 5 })
    await desktop.mouse.up()
    await write(desktop, 'whiteboard')

    await phone.goto(`/doctors/${doctor.user.id}/book?medium=video`)
    await phone.getByTestId('slots').getByRole('button').nth(1).click()
    await write(phone, 'booking')
  })
}
