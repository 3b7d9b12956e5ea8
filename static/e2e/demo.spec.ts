import { expect, test, watch, WenzhenServer } from './world'

test('the demo shows its accounts, one click fills the form, and its people are there', async ({ browser }) => {
  const server = await WenzhenServer.start('--demo')
  try {
    for (const [width, locale] of [
      [390, 'zh-CN'],
      [1440, 'en'],
    ] as const) {
      const complaints: string[] = []
      const context = await browser.newContext({ baseURL: server.url, locale, viewport: { width, height: 844 } })
      const page = await context.newPage()
      watch(page, complaints)
      await page.goto('/login')
      await expect(page.locator('.demo button')).toHaveCount(5)
      await page.locator('.demo button', { hasText: 'wang@' }).click()
      await expect(page.locator('input[name=email]')).toHaveValue('wang@wenzhen.example')
      await page.locator('form button[type=submit]').click()
      await expect(page).toHaveURL(/\/desk$/)
      await expect(page.locator('.queued')).toHaveCount(1)
      expect(complaints).toEqual([])
      await context.close()
    }
  } finally {
    await server.stop()
  }
})
