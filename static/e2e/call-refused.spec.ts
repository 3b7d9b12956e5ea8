import { wholeBrowser } from '../playwright.config'
import { expect } from './world'
import { axe } from './world/axe'
import { answer, callScreen, calls, enter, fakeDevices, flows, incoming, meeting, test } from './world/media'

// A browser that has not been allowed anything, on a machine without a camera.

const args = fakeDevices.args.filter((arg) => !arg.startsWith('--use-fake-') && !arg.startsWith('--auto-accept'))
test.use({ launchOptions: { ...fakeDevices, executablePath: wholeBrowser, args: [...args, '--use-fake-device-for-media-stream=device-count=0'] } })
test.setTimeout(120_000)

const denied = '麦克风权限未开启'
const missing = '未检测到摄像头'

test('the page names a refused or missing device, and the call continues without it', async ({ browserOf, server }) => {
  const { doctor, patient, consultation } = await meeting(server.url)
  const mine = await browserOf()
  const theirs = await browserOf()
  await enter(mine, patient, consultation.id)

  // Before a call, and when recording.
  await mine.goto('/devices')
  await mine.getByRole('button', { name: '开始检测' }).click()
  await expect(mine.getByRole('alert').filter({ hasText: denied })).toBeVisible()
  await expect(mine.getByRole('alert').filter({ hasText: missing })).toBeVisible()
  await axe(mine, 'device test without devices')
  await mine.goto(`/consultations/${consultation.id}`)
  await mine.getByRole('button', { name: '录制语音消息' }).click()
  await expect(mine.getByTestId('recorder').getByRole('alert')).toContainText(denied)
  await axe(mine, 'recorder that is refused')
  await mine.context().grantPermissions(['microphone'])
  await mine.getByTestId('recorder').getByRole('button', { name: '重试' }).click()
  await expect(mine.getByRole('button', { name: '停止录音' })).toBeVisible()
  await mine.getByRole('button', { name: '取消录音' }).click()
  await mine.context().clearPermissions()

  // In a call both are said, and one can still listen.
  await enter(theirs, doctor, consultation.id)
  await theirs.context().grantPermissions(['microphone'])
  await calls(mine, '视频通话')
  await expect(incoming(theirs)).toBeVisible()
  await answer(theirs)
  await expect(callScreen(mine).getByText(denied)).toBeVisible()
  await expect(callScreen(mine).getByText(missing)).toBeVisible()
  await expect(callScreen(theirs).getByText(missing)).toBeVisible()
  await expect(callScreen(theirs).getByRole('img', { name: '已静音' })).toBeVisible()
  await flows(mine, ['audio'])
  await axe(mine, 'call without devices')

  // Once the microphone is allowed, the other side receives sound.
  await mine.context().grantPermissions(['microphone'])
  await callScreen(mine).getByRole('button', { name: '取消静音' }).click()
  await expect(callScreen(mine).getByText(denied)).toBeHidden()
  await flows(theirs, ['audio'])
  await expect(callScreen(theirs).getByRole('img', { name: '已静音' })).toBeHidden()
})
