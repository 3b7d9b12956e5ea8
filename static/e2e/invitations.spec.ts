import type { Page } from '@playwright/test'
import { expect, logIn, password, Person, test } from './world'
import { axe, settled } from './world/axe'
import { looks, speak } from './world/looks'

// Letting people into a consultation and out of it: consent, removal, leaving.

const people = (page: Page) => page.getByRole('list', { name: '参与者' })

const messages = (page: Page) => page.getByRole('region', { name: '消息' })

async function scene(server: string) {
  const doctor = await Person.practise(server, '王芳')
  const colleague = await Person.practise(server, '李明')
  const patient = await Person.register(server, 'patient', '张波')
  const aunt = await Person.register(server, 'patient', '李姨')
  const consultation = await patient.consult(doctor)
  await doctor.accept(consultation)
  await patient.say(consultation, '这句话在邀请之前')
  return { doctor, colleague, patient, aunt, consultation, path: `/consultations/${consultation.id}` }
}

test('the doctor proposes, the patient agrees, and is rid of the guest again', async ({ server, browserOf }) => {
  const { doctor, colleague, patient, consultation, path } = await scene(server.url)
  const desk = await browserOf({ width: 1440 })
  const phone = await browserOf({ width: 390 })
  const third = await browserOf({ width: 1440 })
  await logIn(desk, doctor.user.email, password, path)
  await logIn(phone, patient.user.email, password, path)

  await desk.getByRole('button', { name: '邀请他人加入' }).press('Enter')
  const dialog = desk.getByRole('dialog', { name: '邀请他人加入问诊' })
  await dialog.getByRole('textbox', { name: '受邀人的邮箱' }).fill(colleague.user.email)
  await axe(desk, 'inviting', '.el-dialog')
  await dialog.getByRole('button', { name: '请患者同意' }).press('Enter')
  await expect(desk.getByRole('list', { name: '邀请' })).toContainText('等待患者同意')
  await axe(desk, 'proposed')

  const card = phone.getByRole('region', { name: '医生的邀请' })
  await expect(card).toContainText(`王芳医生希望邀请 ${colleague.user.email}（会诊医生）`)
  await axe(phone, 'consent')
  await card.getByRole('button', { name: '同意', exact: true }).click()
  await expect(card).toBeHidden()
  await expect(desk.getByRole('list', { name: '邀请' })).toContainText('尚未加入')

  // Their name is not shown before they join, and they do not see earlier messages.
  await logIn(third, colleague.user.email, password, path)
  await expect(people(desk)).toContainText('李明')
  await patient.say(consultation, '欢迎加入')
  await expect(messages(third)).toContainText('欢迎加入')
  await expect(messages(third)).not.toContainText('这句话在邀请之前')
  await colleague.say(consultation, '我来看看')

  await phone.getByRole('button', { name: '问诊信息' }).click()
  await phone.getByRole('button', { name: '移出李明' }).click()
  await phone.getByRole('dialog', { name: '移出李明？' }).getByRole('button', { name: '移出' }).click()
  await expect(people(phone)).not.toContainText('李明')
  await axe(phone, 'removed')
  await expect(third.getByText('您已不在本次问诊中')).toBeVisible()
  await axe(third, 'out')
  await expect(people(desk)).not.toContainText('李明')
  await expect(messages(desk)).toContainText('我来看看')
})

test('the patient invites with the history, and the relative leaves', async ({ server, browserOf }) => {
  const { patient, aunt, path } = await scene(server.url)
  const mine = await browserOf({ width: 1440 })
  const theirs = await browserOf({ width: 1440 })
  await logIn(mine, patient.user.email, password, path)
  await mine.getByRole('button', { name: '邀请他人加入' }).click()
  const dialog = mine.getByRole('dialog', { name: '邀请他人加入问诊' })
  await dialog.getByRole('textbox', { name: '受邀人的邮箱' }).fill(aunt.user.email)
  await dialog.getByText('也允许查看此前的记录').click()
  await dialog.getByRole('button', { name: '邀请' }).click()
  await expect(mine.getByRole('list', { name: '邀请' })).toContainText('尚未加入')

  await logIn(theirs, aunt.user.email, password, path)
  await expect(messages(theirs)).toContainText('这句话在邀请之前')
  await expect(people(mine)).toContainText('李姨')
  await theirs.getByRole('button', { name: '退出问诊' }).press('Enter')
  await theirs.getByRole('dialog', { name: '退出本次问诊？' }).getByRole('button', { name: '退出问诊' }).press('Enter')
  await expect(theirs).toHaveURL(/\/consultations$/)
  await expect(people(mine)).not.toContainText('李姨')
})

test('screens of invitations', async ({ server, browserOf }) => {
  const folder = process.env.SHOTS ?? 'test-results/invitations'
  const { doctor, colleague, patient, aunt, consultation, path } = await scene(server.url)
  await patient.ask('POST', `${path}/invitations`, { userId: aunt.user.id, role: 'relative' })
  await doctor.ask('POST', `${path}/invitations`, { email: colleague.user.email, role: 'second_doctor' })
  await patient.say(consultation, '医生您好')
  for (const [width, locale] of looks) {
    for (const [who, person] of Object.entries({ patient, doctor })) {
      const page = await browserOf({ width, locale })
      await speak(page, locale)
      await logIn(page, person.user.email, password, path)
      await page.getByRole('region', { name: /消息|Messages/ }).getByText('医生您好').waitFor()
      await settled(page)
      await page.screenshot({ path: `${folder}/${who}-${width}-${locale}.png` })
      if (width < 600) await page.getByRole('button', { name: /问诊信息|About this consultation/ }).click()
      await page.getByRole('button', { name: /邀请他人加入|Invite someone/ }).waitFor()
      await settled(page)
      await page.screenshot({ path: `${folder}/${who}-${width}-${locale}-people.png` })
      await page.getByRole('button', { name: /邀请他人加入|Invite someone/ }).click()
      await page.getByRole('dialog', { name: /邀请他人加入问诊|Invite someone to this/ }).waitFor()
      await settled(page)
      await page.screenshot({ path: `${folder}/${who}-${width}-${locale}-dialog.png` })
    }
  }
})
