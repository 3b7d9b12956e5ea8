import type { Page } from '@playwright/test'
import { createHash } from 'node:crypto'
import type { Board, Consultation, Stroke } from '../src/api/wire.gen'
import { expect, logIn, password, Person, test } from './world'
import { axe } from './world/axe'
import { picture } from './world/picture'

// Two who draw together, and one who comes late, see the same picture.

test.setTimeout(180_000)

async function open(page: Page, person: Person, c: Consultation) {
  await logIn(page, person.user.email, password, `/consultations/${c.id}/board`)
  await expect(page.locator('[data-ready=true]')).toBeVisible()
}

/** What is on the board, as a fingerprint of its pixels. */
async function pixels(page: Page): Promise<string> {
  const bytes = await page.getByTestId('ink').evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL())
  return createHash('sha256').update(bytes).digest('hex')
}

/** The same once it no longer changes: a stroke is drawn while it is made, and again when it is finished. */
async function steady(page: Page): Promise<string> {
  let last = await pixels(page)
  const still = async () => {
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
    const before = last
    last = await pixels(page)
    return last === before
  }
  await expect.poll(still).toBe(true)
  return last
}

/** How many pixels of the board have ink. */
const inked = (page: Page) =>
  page.getByTestId('ink').evaluate((canvas: HTMLCanvasElement) => {
    const pen = canvas.getContext('2d')
    return pen ? pen.getImageData(0, 0, canvas.width, canvas.height).data.filter((value, i) => i % 4 === 3 && value > 0).length : 0
  })

function random(seed: number) {
  return (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((seed / 2 ** 31) * below)
  }
}

async function scribble(page: Page, next: (below: number) => number) {
  const box = await page.getByRole('application').boundingBox()
  if (!box) throw new Error('there is no board')
  const place = () => [box.x + box.width * (0.25 + next(500) / 1000), box.y + box.height * (0.2 + next(600) / 1000)] as const
  await page.getByRole('toolbar').getByRole('button').nth(next(6)).click()
  await page.mouse.move(...place())
  await page.mouse.down()
  for (let i = 0; i <= next(4); i++) await page.mouse.move(...place(), { steps: 3 })
  await page.mouse.move(...place())
  await page.mouse.up()
}

test('drawing, undoing and reconnecting at random ends in the same picture for all', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '王芳')
  const patient = await Person.register(server.url, 'patient', '张波')
  const c = await patient.consult(doctor)
  await doctor.accept(c)
  const pages = [await browserOf(), await browserOf()] as const
  await open(pages[0], patient, c)
  await open(pages[1], doctor, c)
  const blank = await pixels(pages[0])
  const next = random(7)
  for (let i = 0; i < 24; i++) {
    const page = pages[next(2)] ?? pages[0]
    const what = next(10)
    if (what < 7) await scribble(page, next)
    else if (what < 9) await page.getByRole('button', { name: '撤销我的上一笔' }).click()
    else {
      // A stroke that is drawn while the connection is away arrives afterwards.
      await page.context().setOffline(true)
      await scribble(page, next)
      await page.context().setOffline(false)
    }
  }
  const [first, second] = pages
  const count = async () => (await patient.ask<Board>('GET', `/consultations/${c.id}/board`)).strokes.length
  expect(await count()).toBeGreaterThan(0)
  await expect.poll(async () => (await pixels(first)) === (await pixels(second)) && (await pixels(first)) !== blank, { timeout: 60_000 }).toBe(true)
  const late = await browserOf()
  await open(late, doctor, c)
  await expect.poll(async () => new Set([await pixels(late), await pixels(first), await pixels(second)]).size, { timeout: 60_000 }).toBe(1)
})

test('an X-ray underneath, the keyboard, and the picture in the record', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '王芳')
  const patient = await Person.register(server.url, 'patient', '张波')
  const c = await patient.consult(doctor)
  await doctor.accept(c)
  const page = await browserOf()
  await open(page, doctor, c)
  const blank = await pixels(page)
  await page.getByTestId('background-input').setInputFiles({ name: 'xray.png', mimeType: 'image/png', buffer: picture() })
  await expect(page.getByRole('button', { name: '移除底图' })).toBeVisible()
  await page.getByRole('application').focus()
  await page.keyboard.press('a')
  await page.keyboard.press('Enter')
  for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  await expect.poll(() => pixels(page)).not.toBe(blank)
  await axe(page, 'board')
  await page.setViewportSize({ width: 390, height: 844 })
  await page.getByRole('button', { name: '保存到问诊' }).click()
  await page.getByRole('link', { name: '返回问诊' }).click()
  await expect(page.getByRole('img', { name: 'whiteboard.png' })).toBeVisible()
})

test('fingers draw, and two of them move the board', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '王芳')
  const patient = await Person.register(server.url, 'patient', '张波')
  const c = await patient.consult(doctor)
  await doctor.accept(c)
  const page = await browserOf({ width: 390 })
  await open(page, patient, c)
  const blank = await pixels(page)
  const fingers = await page.context().newCDPSession(page)
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...at: [number, number][]) =>
    fingers.send('Input.dispatchTouchEvent', { type, touchPoints: at.map(([x, y], id) => ({ x, y, id, force: 0.7 })) })
  await touch('touchStart', [150, 350])
  for (let y = 355; y < 400; y += 5) await touch('touchMove', [150 + (y % 3), y])
  await touch('touchEnd')
  const strokes = async () => (await patient.ask<Board>('GET', `/consultations/${c.id}/board`)).strokes.length
  await expect.poll(strokes).toBe(1)
  await expect.poll(() => pixels(page)).not.toBe(blank)
  const scale = page.getByRole('button', { name: /适合窗口$/ })
  const before = await scale.innerText()
  const drawn = await steady(page)
  await touch('touchStart', [150, 350])
  await touch('touchStart', [150, 350], [250, 350])
  for (let by = 5; by <= 50; by += 5) await touch('touchMove', [150 - by, 350], [250 + by, 350])
  await touch('touchEnd')
  await expect(scale).not.toHaveText(before)
  expect(await steady(page)).toBe(drawn)
  expect(await strokes()).toBe(1)
})

test('10,000 strokes are drawn', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '王芳')
  const patient = await Person.register(server.url, 'patient', '张波')
  const c = await patient.consult(doctor)
  await doctor.accept(c)
  const next = random(3)
  const strokes: Stroke[] = Array.from({ length: 10_000 }, (_, seq) => ({
    id: `s${seq}`, seq: 0, authorId: doctor.user.id, tool: 'pen', colour: '#1d6b62', width: 4, createdAt: c.createdAt,
    points: Array.from({ length: 12 }).flatMap((_, i) => [next(1400) + i * 9, next(30) + (seq % 1100), 0.5]),
  }))
  const page = await browserOf()
  await page.route('**/api/v1/consultations/*/board', (route) => route.fulfill({ json: { strokes, attachmentId: '', lastSeq: 0 } }))
  await logIn(page, doctor.user.email, password)
  // The page's own time: a machine that is busy with something else takes longer, and does the same work.
  const clock = await page.context().newCDPSession(page)
  await clock.send('Performance.enable', { timeDomain: 'threadTicks' })
  const spent = async () => (await clock.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN
  await page.goto(`/consultations/${c.id}`)
  const before = await spent()
  await page.getByRole('link', { name: '白板' }).click()
  await expect(page.locator('[data-ready=true]')).toBeVisible()
  await expect.poll(() => inked(page)).toBeGreaterThan(10_000)
  console.log(`10,000 strokes took ${Math.round(1000 * ((await spent()) - before))} ms of the page's own time`)
})
