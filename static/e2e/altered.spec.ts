import { expect, logIn, password, Person, test } from './world'
import { axe } from './world/axe'
import { looks, speak } from './world/looks'
import type { Diagnosis, ConsultationOpened, PatientRecord } from '../src/api/wire.gen'

const says = {
  altered: { 'zh-CN': '内容与签署时不一致，或有部分被删除，请勿采用。', en: 'Altered. This is not what was signed' },
  unknown_key: { 'zh-CN': '本系统没有签署所用的密钥', en: 'doesn’t have the key used to sign it' },
  unconfirmed: { 'zh-CN': '审计日志此后遭到改动', en: 'the audit log was changed later' },
} as const

test('a document that is altered, or cannot be confirmed, says so in the record', async ({ server, browserOf }) => {
  const [bo, wang] = await Promise.all([Person.register(server.url, 'patient', '张波'), Person.practise(server.url, '王芳')])
  const body = { doctorId: wang.user.id, service: 'followup', medium: 'text', complaint: '血压又高了', priorDiagnosis: '高血压' }
  const c = await wang.accept((await bo.ask<ConsultationOpened>('POST', '/consultations', body)).consultation)
  const draft = await wang.ask<Diagnosis>('POST', `/consultations/${c.id}/diagnoses`, { codes: ['I10'], text: '血压偏高' })
  await wang.ask('POST', `/diagnoses/${draft.id}/sign`, {})

  for (const [width, locale] of looks) {
    const page = await browserOf({ width, locale })
    await speak(page, locale)
    let integrity: keyof typeof says = 'altered'
    await page.route('**/api/v1/patients/*/record', async (route) => {
      const response = await route.fetch()
      const record = (await response.json()) as PatientRecord
      for (const episode of record.history) for (const d of episode.diagnoses) d.integrity = integrity
      await route.fulfill({ response, json: record })
    })
    await logIn(page, bo.user.email, password, '/records')
    for (integrity of Object.keys(says) as (keyof typeof says)[]) {
      await page.reload()
      const card = page.getByRole('region', { name: locale === 'en' ? 'Diagnosis' : '诊断', exact: true })
      const altered = integrity === 'altered'
      await expect(card.getByRole(altered ? 'alert' : 'note')).toContainText(says[integrity][locale])
      await expect(card.getByRole('button', { name: locale === 'en' ? 'Download PDF' : '下载 PDF' })).toHaveCount(altered ? 0 : 1)
      await axe(page, `${integrity} ${width} ${locale}`)
      await card.screenshot({ path: `test-results/altered/${integrity}-${width}-${locale}.png` })
    }
  }
})
