import { expect, logIn, password, Person } from './world'
import { axe } from './world/axe'
import { answer, callScreen, calls, enter, fakeDevices, flows, hangUp, incoming, meeting, test, traffic, watchMedia } from './world/media'

// Calls between real browsers, with cameras and microphones that are made up.

test.use({ launchOptions: fakeDevices })
test.setTimeout(180_000)

test('ring, answer, see and hear each other, share the screen, hang up', async ({ browserOf, server }) => {
  const { doctor, patient, consultation } = await meeting(server.url)
  const mine = await browserOf()
  const desk = await browserOf()
  const phone = await browserOf({ width: 390 })
  await enter(mine, patient, consultation.id)
  await enter(desk, doctor, consultation.id)
  await enter(phone, doctor, consultation.id)

  // It rings on both devices of the doctor; the other stops when one answers.
  await calls(mine, '视频通话')
  await expect(callScreen(mine)).toContainText('正在呼叫')
  await expect(incoming(desk)).toContainText('张波')
  await expect(incoming(phone)).toBeVisible()
  await axe(phone, 'ringing')
  await answer(desk)
  await expect(incoming(phone)).toBeHidden()
  await expect(phone.getByText('您正在另一台设备上通话')).toBeVisible()
  await flows(mine)
  await flows(desk)
  await expect(callScreen(mine).getByTestId('call-status')).toHaveText(/^\d+:\d\d$/)
  await axe(mine, 'in call')

  // The other side shows the mute badge and receives silence.
  await callScreen(mine).getByRole('button', { name: '静音', exact: true }).click()
  await expect(callScreen(desk).getByRole('img', { name: '已静音' })).toBeVisible()
  await callScreen(mine).getByRole('button', { name: '取消静音' }).click()
  await expect(callScreen(desk).getByRole('img', { name: '已静音' })).toBeHidden()

  await callScreen(desk).getByRole('button', { name: '共享屏幕' }).click()
  await expect(callScreen(mine)).toContainText('正在共享屏幕')
  await flows(mine, ['video'])
  await callScreen(desk).getByRole('button', { name: '停止共享' }).click()
  await expect(callScreen(mine)).not.toContainText('正在共享屏幕')
  await callScreen(desk).getByRole('button', { name: '关闭摄像头' }).click()
  await expect(callScreen(mine)).toContainText('摄像头已关闭')

  await hangUp(mine)
  await expect(callScreen(desk)).toBeHidden()
  await expect(desk.locator('article', { hasText: /视频通话 \d+:\d\d/ })).toBeVisible()
})

test('declined', async ({ browserOf, server }) => {
  const { doctor, patient, consultation } = await meeting(server.url)
  const mine = await browserOf()
  const theirs = await browserOf()
  await enter(mine, patient, consultation.id)
  await enter(theirs, doctor, consultation.id)
  await calls(mine, '语音通话')
  await incoming(theirs).getByRole('button', { name: '拒绝' }).click()
  await expect(callScreen(mine)).toBeHidden()
  await expect(mine.locator('article', { hasText: '语音通话 · 已拒绝' })).toBeVisible()
})

test('through the relay alone, and a third one joins', async ({ browserOf, server }) => {
  const { doctor, patient, consultation } = await meeting(server.url)
  const aunt = await Person.register(server.url, 'patient', '李姨')
  await patient.ask('POST', `/consultations/${consultation.id}/invitations`, { userId: aunt.user.id, role: 'relative' })
  const pages = [await browserOf(), await browserOf(), await browserOf()] as const
  await enter(pages[0], patient, consultation.id, true)
  await enter(pages[1], doctor, consultation.id, true)
  await calls(pages[0], '视频通话')
  await answer(pages[1])
  for (const page of pages.slice(0, 2)) {
    await flows(page)
    expect((await traffic(page)).paths).toContain('relay')
  }
  // Her ring has not ended yet, or it has: either way she can come in.
  await enter(pages[2], aunt, consultation.id, true)
  await expect(async () => {
    if (await incoming(pages[2]).isVisible()) await answer(pages[2])
    else if (!(await callScreen(pages[2]).isVisible())) await calls(pages[2], '视频通话')
    await expect(callScreen(pages[2])).toBeVisible()
  }).toPass({ timeout: 90_000 })
  for (const page of pages) {
    await expect(callScreen(page).locator('figure[data-path=connected]')).toHaveCount(2, { timeout: 45_000 })
    await flows(page)
    expect(new Set((await traffic(page)).paths)).toEqual(new Set(['relay']))
  }
  await hangUp(pages[0])
  await flows(pages[1])
  await hangUp(pages[1])
  await expect(callScreen(pages[2])).toBeHidden()
})

test('media outlives the sockets and the server', async ({ browserOf, server }) => {
  const { doctor, patient, consultation } = await meeting(server.url)
  const mine = await browserOf()
  const theirs = await browserOf()
  await enter(mine, patient, consultation.id)
  await enter(theirs, doctor, consultation.id)
  await calls(mine, '视频通话')
  await answer(theirs)
  await flows(mine)
  await flows(theirs)
  const fragment = () => mine.evaluate(() => /ice-ufrag:(\S+)/.exec(window.watched.connections.at(-1)?.localDescription?.sdp ?? '')?.[1])

  // The sockets are away: media continues, and afterwards the path is negotiated
  // anew.
  const first = await fragment()
  await mine.context().setOffline(true)
  await mine.evaluate(() => window.watched.sockets.forEach((socket) => socket.close()))
  await expect.poll(() => mine.evaluate(() => window.watched.sockets.every((socket) => socket.readyState === WebSocket.CLOSED))).toBe(true)
  for (let n = 0; n < 3; n++) await flows(mine)
  await mine.context().setOffline(false)
  await expect.poll(fragment, { timeout: 45_000 }).not.toBe(first)
  await flows(mine)
  await flows(theirs)

  // The server ends and starts again: the call continues and ends normally.
  const second = await fragment()
  await server.kill()
  await flows(mine)
  await flows(theirs)
  await server.run()
  await expect.poll(fragment, { timeout: 45_000 }).not.toBe(second)
  await flows(mine)
  await flows(theirs)
  await hangUp(theirs)
  await expect(callScreen(mine)).toBeHidden({ timeout: 30_000 })
  await expect(mine.locator('article', { hasText: /视频通话 \d+:\d\d/ })).toBeVisible()
})

test('a page that is reloaded continues its call; devices can be tested before', async ({ browserOf, server }) => {
  const { doctor, patient, consultation } = await meeting(server.url)
  const mine = await browserOf()
  const theirs = await browserOf()
  await enter(mine, patient, consultation.id)
  await mine.goto('/devices')
  await mine.getByRole('button', { name: '开始检测' }).click()
  await expect.poll(() => mine.locator('video').evaluate((video: HTMLVideoElement) => video.videoWidth)).toBeGreaterThan(0)
  await expect(mine.getByText('麦克风正常')).toBeVisible()
  await axe(mine, 'device test')
  await mine.goto(`/consultations/${consultation.id}`)
  await enter(theirs, doctor, consultation.id)
  await calls(theirs, '视频通话')
  await answer(mine)
  await flows(theirs)
  await mine.reload()
  await expect(callScreen(mine)).toBeVisible()
  await flows(mine)
  await flows(theirs)
  await hangUp(theirs)
  await expect(callScreen(mine)).toBeHidden()
})

test('a patient calls where the consultation includes it; the devices are asked for before it rings', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '王芳')
  const patient = await Person.register(server.url, 'patient', '张波')
  const text = await patient.consult(doctor)
  await doctor.accept(text)
  const mine = await browserOf()
  const desk = await browserOf()
  await watchMedia(mine)
  await logIn(mine, patient.user.email, password, `/consultations/${text.id}`)
  await expect(mine.getByRole('link', { name: '白板' })).toBeVisible()
  await expect(mine.getByRole('button', { name: '发起通话' })).toHaveCount(0)

  // The doctor's browser has not answered yet whether the microphone may be used.
  await desk.addInitScript(() => {
    const opened = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      await new Promise((resolve) => addEventListener('permitted', resolve, { once: true }))
      return opened(constraints)
    }
  })
  await enter(desk, doctor, text.id)
  await calls(desk, '语音通话')
  await desk.waitForTimeout(500)
  await expect(incoming(mine)).toBeHidden()
  await desk.evaluate(() => dispatchEvent(new Event('permitted')))
  await answer(mine)
  await expect(callScreen(desk).getByTestId('call-status')).toHaveText(/^\d+:\d\d$/)
})
