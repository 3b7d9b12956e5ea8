import { expect, test, watch, WenzhenServer } from './world'

test('the demo shows its accounts, one click fills the form, and its people are there', async ({ browser }) => {
  const server = await WenzhenServer.start('--demo')
  try {
    for (const [device, width] of [
      ['phone', 390],
      ['desktop', 1440],
    ] as const) {
      for (const locale of ['zh-CN', 'en']) {
        const complaints: string[] = []
        const context = await browser.newContext({ baseURL: server.url, locale, viewport: { width, height: 844 } })
        const page = await context.newPage()
        watch(page, complaints)
        await page.goto('/login')
        await expect(page.locator('.demo button')).toHaveCount(5)
        await page.screenshot({ path: `test-results/shots/${device}-${locale}-demo-login.png`, fullPage: true })
        await page.locator('.demo button', { hasText: 'wang@' }).click()
        await expect(page.locator('input[name=email]')).toHaveValue('wang@wenzhen.example')
        await page.locator('form button[type=submit]').click()
        await expect(page).toHaveURL(/\/desk$/)
        await expect(page.locator('.queued')).toHaveCount(1)
        await page.screenshot({ path: `test-results/shots/${device}-${locale}-demo-desk.png`, fullPage: true })
        expect(complaints).toEqual([])
        await context.close()
      }
    }
  } finally {
    await server.stop()
  }
})
