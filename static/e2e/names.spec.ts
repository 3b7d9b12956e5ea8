import type { ConsultationOpened, Patient } from '../src/api/wire.gen'
import { expect, logIn, password, Person, test } from './world'

// What a parent of two children, and a reader in another time zone, must see in lists.

test('a message that was found and a place on a waitlist name the patient; times are in the zone of the account', async ({ browserOf, server }) => {
  const services = [{ service: 'advice' as const, medium: 'text' as const, price: 0, currency: 'CNY', minutes: 15 }]
  const doctor = await Person.practise(server.url, '周医生', { services })
  const parent = await Person.register(server.url, 'patient', '陈小雨')
  const child = await parent.ask<Patient>('POST', '/me/patients', { name: '陈小宝', relation: 'child', birthDate: '2020-01-01', sex: 'male' })
  const asked = { doctorId: doctor.user.id, patientId: child.id, service: 'advice', medium: 'text', complaint: '咳嗽' }
  const { consultation: c } = await parent.ask<ConsultationOpened>('POST', '/consultations', asked)
  await doctor.accept(c)
  await doctor.say(c, '多喝温水')
  await parent.ask('PATCH', '/me', { timeZone: 'America/New_York' }) // the browsers of tests are in Shanghai
  const from = new Date(Date.now() + 86_400_000).toISOString()
  const to = new Date(Date.now() + 3 * 86_400_000).toISOString()
  await parent.ask('POST', '/waitlist', { doctorId: doctor.user.id, patientId: child.id, from, to, medium: 'text', service: 'advice', complaint: '咳嗽' })

  const page = await browserOf()
  await logIn(page, parent.user.email, password, '/consultations')
  await page.getByRole('textbox').first().fill('温水')
  await expect(page.locator('.found li')).toContainText('就诊人：陈小宝')
  const at = await page.locator('.found time').getAttribute('datetime')
  const clock = new Date(at ?? '').toLocaleTimeString('en-GB', { timeZone: 'America/New_York', hour: '2-digit', minute: '2-digit' })
  await expect(page.locator('.found time')).toContainText(clock)
  await page.goto('/appointments')
  await expect(page.locator('.wait')).toContainText('就诊人：陈小宝')
})

test('the header of a chat on a phone shows the whole name of the patient', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '周医生')
  const patient = await Person.register(server.url, 'patient', '买买提·阿卜杜拉')
  const c = await patient.consult(doctor)
  await doctor.accept(c)
  for (const person of [doctor, patient]) {
    const page = await browserOf({ width: 390 })
    await logIn(page, person.user.email, password, `/consultations/${c.id}`)
    const lines = page.locator('.room > header .who > *')
    await expect(lines).toHaveText([person === doctor ? '买买提·阿卜杜拉' : '周医生', /在线|离线/])
    expect(await lines.evaluateAll((all) => all.filter((line) => line.scrollWidth > line.clientWidth || line.scrollHeight > line.clientHeight + 2).map((line) => line.textContent))).toEqual([])
  }
})
