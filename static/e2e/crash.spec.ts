import type { Page } from '@playwright/test'
import { expect, logIn, password, Person, test, WenzhenServer } from './world'

// The server dies without a word in the middle of a burst from both sides.

// A trace would have each of 400 steps, and slow the burst down.
test.use({ trace: 'off' })

const perSide = 100
/** The last ones are written while the server is dead, whenever it died. */
const alive = 90

async function write(page: Page, who: string, from: number, to: number) {
  const box = page.getByRole('textbox', { name: '输入消息' })
  for (let n = from; n <= to; n++) {
    await box.fill(`${who} ${n}`)
    await box.press('Enter')
  }
}

const shown = (page: Page) => page.locator('article .text').allInnerTexts()

test('a crash in a burst of 200 messages loses, doubles and reorders nothing', async ({ browser }) => {
  test.setTimeout(180_000)
  const server = await WenzhenServer.start()
  try {
    const doctor = await Person.practise(server.url, '周医生')
    const patient = await Person.register(server.url, 'patient', '小李')
    const c = await patient.consult(doctor)
    await doctor.accept(c)

    const pages = await Promise.all(
      [patient, doctor].map(async (person) => {
        const context = await browser.newContext({ baseURL: server.url, locale: 'zh-CN' })
        const page = await context.newPage()
        await logIn(page, person.user.email, password, `/consultations/${c.id}`)
        await expect(page.locator('.banner.active')).toBeVisible()
        return page
      }),
    )
    const [mine, theirs] = pages as [Page, Page]

    const writing = Promise.all([write(mine, '患者', 1, alive), write(theirs, '医生', 1, alive)])
    await expect.poll(async () => (await shown(mine)).length, { intervals: [20], timeout: 60_000 }).toBeGreaterThan(60)
    await server.kill()
    await expect(mine.getByTestId('offline-banner')).toBeVisible()
    await writing
    await Promise.all([write(mine, '患者', alive + 1, perSide), write(theirs, '医生', alive + 1, perSide)])
    const before = await Promise.all(pages.map((page) => page.locator('[data-tick=sending]').count()))
    expect(before.reduce((a, b) => a + b), 'something was under way when the server died').toBeGreaterThan(0)
    await server.run()

    for (const page of pages) {
      await expect(page.getByTestId('offline-banner')).toBeHidden({ timeout: 30_000 })
      await expect.poll(async () => (await shown(page)).length, { timeout: 60_000 }).toBe(2 * perSide)
      await expect(page.locator('[data-tick=sending], [data-tick=failed]')).toHaveCount(0, { timeout: 60_000 })
    }
    const [a, b] = await Promise.all(pages.map(shown))
    expect(a).toEqual(b)
    expect(new Set(a).size).toBe(2 * perSide)
    // Each side's own messages are in the order in which they were written.
    for (const who of ['患者', '医生']) {
      expect(a?.filter((text) => text.startsWith(who))).toEqual(Array.from({ length: perSide }, (_, i) => `${who} ${i + 1}`))
    }
    // A fresh page agrees with those that lived through it.
    await mine.reload()
    await expect.poll(async () => (await shown(mine)).at(-1)).toBe(a?.at(-1))
    const scroller = mine.locator('.scroller')
    await expect(async () => {
      await scroller.evaluate((box) => (box.scrollTop = 0))
      expect(await shown(mine)).toEqual(a)
    }).toPass()
  } finally {
    await server.stop()
  }
})
