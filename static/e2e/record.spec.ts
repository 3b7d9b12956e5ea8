import type { Page } from '@playwright/test'
import type { Consultation, ConsultationOpened } from '../src/api/wire.gen'
import { expect, logIn, password, Person, test, WenzhenServer } from './world'
import { axe } from './world/axe'
import { looks, speak } from './world/looks'
import { picture } from './world/picture'

/** A follow-up in progress, with its patient and its doctor. */
async function followup(server: string): Promise<{ bo: Person; wang: Person; c: Consultation }> {
  const [bo, wang] = await Promise.all([Person.register(server, 'patient', '张波'), Person.practise(server, '王芳')])
  const body = { doctorId: wang.user.id, service: 'followup', medium: 'text', complaint: '血压又高了', priorDiagnosis: '高血压' }
  const { consultation } = await bo.ask<ConsultationOpened>('POST', '/consultations', body)
  return { bo, wang, c: await wang.accept(consultation) }
}

async function enter(page: Page, person: Person, path: string): Promise<Page> {
  await logIn(page, person.user.email, password, path)
  return page
}

test('a doctor writes and signs; the patient has it at once, in the record, and can verify it', async ({ server, browserOf }) => {
  const { bo, wang, c } = await followup(server.url)
  const [doctor, patient] = [await enter(await browserOf({ width: 1440 }), wang, `/consultations/${c.id}`), await enter(await browserOf({ width: 390 }), bo, `/consultations/${c.id}`)]

  await doctor.getByRole('button', { name: '诊断与处方' }).click()
  await doctor.getByRole('button', { name: '下诊断' }).click()
  const form = doctor.getByRole('form', { name: '诊断' })
  await form.getByRole('combobox', { name: '诊断（ICD-10）' }).fill('yfxgxy')
  await doctor.getByRole('option', { name: 'I10 原发性高血压' }).click()
  await doctor.keyboard.press('Escape')
  await form.getByLabel('给患者的医嘱').fill('低盐饮食，每天测血压')
  await form.getByRole('button', { name: '签署并发送' }).click()
  await doctor.locator('.el-message-box').getByRole('button', { name: '签署并发送' }).click()

  const card = patient.getByRole('region', { name: '诊断' })
  await expect(card).toContainText('I10')
  await expect(card).toContainText('低盐饮食')
  await axe(patient)

  const download = patient.waitForEvent('download')
  await card.getByRole('button', { name: '下载 PDF' }).click()
  expect((await download).suggestedFilename()).toMatch(/^diagnosis-.*\.pdf$/)

  await patient.goto('/records')
  await expect(patient.getByRole('heading', { name: '张波的健康档案' })).toBeVisible()
  await expect(patient.getByRole('region', { name: '诊断' })).toContainText('原发性高血压')
  await axe(patient)

  const { items } = await bo.ask<{ items: { id: string; signature: { sha256: string } }[] }>('GET', `/consultations/${c.id}/diagnoses`)
  const signed = items[0] ?? { id: '', signature: { sha256: '' } }
  const anyone = await browserOf({ locale: 'en' })
  await anyone.goto(`/verify/diagnosis/${signed.id}?sha256=${signed.signature.sha256}`)
  await expect(anyone.getByRole('status')).toContainText('Genuine and in force')
  await axe(anyone)
  for (const [integrity, says] of [
    ['unknown_key', 'Can’t be confirmed'], ['altered', 'The document has been changed'],
    ['unconfirmed', /on .*2026.* changes to the audit log were found/],
  ] as const) {
    await anyone.route('**/api/v1/verify?*', async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, json: { ...((await response.json()) as object), integrity, intact: false, logBrokenAt: '2026-11-15T04:00:00Z' } })
    })
    await anyone.reload()
    await expect(anyone.getByRole('status')).toContainText(says)
    await axe(anyone, integrity)
    await anyone.unroute('**/api/v1/verify?*')
  }
  await anyone.goto(`/verify/diagnosis/${signed.id}?sha256=${'0'.repeat(64)}`)
  await expect(anyone.getByRole('status')).toContainText('The code doesn’t match')
})

test('a prescription warns of an allergy, and a pharmacist approves it', async ({ server, browserOf }) => {
  const { bo, wang, c } = await followup(server.url)
  const pei = await Person.practise(server.url, '裴药师')
  await Person.appointPharmacist(server.url, pei)
  const patient = await enter(await browserOf(), bo, '/records')
  await patient.getByRole('button', { name: '编辑' }).click()
  await patient.getByRole('group', { name: '过敏史' }).getByRole('button', { name: '添加一项' }).click()
  await patient.getByRole('textbox', { name: '过敏原' }).fill('青霉素')
  await patient.getByRole('button', { name: '保存' }).click()
  await expect(patient.getByText('档案已更新')).toBeVisible()

  const doctor = await enter(await browserOf({ width: 1440 }), wang, `/consultations/${c.id}`)
  await doctor.getByRole('button', { name: '诊断与处方' }).click()
  await doctor.getByRole('button', { name: '开处方' }).click()
  const form = doctor.getByRole('form', { name: '处方' })
  await form.getByLabel('药品（通用名）').fill('阿莫西林胶囊')
  await expect(form.getByRole('button', { name: '签署并发送' })).toBeDisabled() // no dose was chosen
  await form.getByLabel('每次用量').fill('500')
  await form.getByLabel('天数').fill('5')
  await form.getByLabel('总量').fill('1')
  await form.getByRole('combobox', { name: '频次' }).click({ force: true }) // it lies under its placeholder
  await doctor.getByRole('option', { name: '每日三次' }).click()
  await form.getByRole('button', { name: '签署并发送' }).click()
  await expect(form.getByRole('alert')).toContainText('青霉素')
  await expect(form.getByRole('button', { name: '签署并发送' })).toBeDisabled() // the warning needs a reason
  await axe(doctor, 'a warning')
  await form.getByPlaceholder('仍需开具的理由').fill('既往多次使用，无反应')
  await form.getByRole('button', { name: '签署并发送' }).click()
  await doctor.locator('.el-message-box').getByRole('button', { name: '签署并发送' }).click()

  await patient.goto(`/consultations/${c.id}`)
  const card = patient.getByRole('region', { name: '处方' })
  await expect(card).toContainText('待药师审核')

  const pharmacist = await enter(await browserOf(), pei, '/reviews')
  const waiting = pharmacist.getByRole('region', { name: '处方' }).filter({ hasText: '阿莫西林胶囊' })
  await expect(waiting.getByRole('alert')).toContainText('青霉素')
  await expect(waiting.getByText('既往多次使用，无反应')).toBeVisible()
  await axe(pharmacist)
  await waiting.getByRole('button', { name: '审核通过' }).click()
  await expect(card).toContainText('药师审核通过')
})

test('a followup does not begin before the earlier diagnosis was shown, where that is required', async ({ browser }) => {
  const clinic = await WenzhenServer.start('--followup-evidence', 'required')
  const visit = async (who: Person, width: number) => {
    const page = await (await browser.newContext({ baseURL: clinic.url, viewport: { width, height: 844 }, locale: 'zh-CN' })).newPage()
    return enter(page, who, `/consultations/${c.id}`)
  }
  const [bo, wang] = await Promise.all([Person.register(clinic.url, 'patient', '张波'), Person.practise(clinic.url, '王芳')])
  const body = { doctorId: wang.user.id, service: 'followup', medium: 'text', complaint: '血压又高了', priorDiagnosis: '高血压' }
  const { consultation: c } = await bo.ask<ConsultationOpened>('POST', '/consultations', body)
  try {
    const [patient, doctor] = [await visit(bo, 390), await visit(wang, 1440)]
    const asked = patient.getByRole('region', { name: '请上传既往诊断证明' })
    await expect(asked).toBeVisible()
    await axe(patient, 'asked for the earlier diagnosis')
    await expect(doctor.getByText('患者尚未上传既往诊断证明')).toBeVisible()
    await doctor.getByRole('button', { name: '接诊', exact: true }).click()
    await expect(doctor.getByText('患者须先在对话中上传既往诊断证明')).toBeVisible()
    await asked.locator('input[type=file]').setInputFiles({ name: '出院小结.png', mimeType: 'image/png', buffer: picture() })
    await expect(asked).toHaveCount(0)
    await expect(doctor.getByText('患者尚未上传既往诊断证明')).toHaveCount(0)
    await doctor.getByRole('button', { name: '接诊', exact: true }).click()
    await expect(doctor.getByRole('button', { name: '诊断与处方' })).toBeVisible()
  } finally {
    await Promise.all(browser.contexts().map((context) => context.close()))
    await clinic.stop()
  }
})

test('record screens', async ({ server, browserOf }) => {
  const { bo, wang, c } = await followup(server.url)
  const draft = await wang.ask<{ id: string }>('POST', `/consultations/${c.id}/diagnoses`, { codes: ['I10', 'R42'], text: '晨起头晕两周，血压 150/95。', advice: '低盐饮食，按时服药。' })
  await wang.ask('POST', `/diagnoses/${draft.id}/sign`)
  await bo.ask('PUT', `/patients/${c.patientId}/record`, {
    allergies: [{ substance: '青霉素', severity: 'severe', reaction: '皮疹' }], conditions: [{ code: 'I10', text: '高血压', since: '2020', active: true }], medications: [{ drug: '氨氯地平', usage: '每日一次 5 mg', since: '2021-03' }],
  })
  const item = { drug: '氨氯地平片', strength: '5 mg × 14', dose: 5, doseUnit: 'mg', route: 'oral', frequency: 'qd', days: 14, quantity: 1, quantityUnit: '盒' }
  const pills = await wang.ask<{ id: string }>('POST', `/consultations/${c.id}/prescriptions`, { items: [item] })
  await wang.ask('POST', `/prescriptions/${pills.id}/sign`, { acknowledged: [{ code: 'duplicate', items: [0], reason: '续方，剂量不变' }] })
  await wang.ask('POST', `/consultations/${c.id}/diagnoses`, { codes: ['E78.5'], text: '待复查血脂' })
  const folder = process.env.SHOTS ?? 'test-results/record'
  for (const [width, locale] of looks) {
    const speaking = async () => {
      const page = await browserOf({ width, locale })
      await speak(page, locale)
      return page
    }
    const patient = await enter(await speaking(), bo, `/consultations/${c.id}`)
    await expect(patient.locator('.document.prescription')).toBeVisible()
    await patient.screenshot({ path: `${folder}/chat-${width}-${locale}.png` })
    await patient.goto('/records')
    await expect(patient.locator('.document').first()).toBeVisible()
    await patient.screenshot({ path: `${folder}/record-${width}-${locale}.png` })
    const doctor = await enter(await speaking(), wang, `/consultations/${c.id}`)
    await doctor.locator('.open-desk').click()
    await expect(doctor.locator('.desk .document').first()).toBeVisible()
    await doctor.screenshot({ path: `${folder}/desk-${width}-${locale}.png` })
    await doctor.locator('.desk .buttons button').nth(1).click()
    await doctor.screenshot({ path: `${folder}/form-${width}-${locale}.png` })
  }
})
