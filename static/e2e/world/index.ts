import { expect, test as base, type BrowserContext, type Page } from '@playwright/test'
import type { Login } from '../../src/api/wire.gen'
import { WenzhenServer } from './server'

export { expect }
export { password, Person } from './people'
export { WenzhenServer } from './server'

interface Fixtures {
  /** A new browser without logins; its pages must not violate the content security policy. */
  browserOf: (options?: { width?: number; locale?: string }) => Promise<Page>
}

export const test = base.extend<Fixtures, { server: WenzhenServer }>({
  server: [
     
    async ({}, use) => {
      const server = await WenzhenServer.start()
      await use(server)
      await server.stop()
    },
    { scope: 'worker' },
  ],
  browserOf: async ({ browser, server }, use) => {
    const contexts: BrowserContext[] = []
    const complaints: string[] = []
    await use(async ({ width = 1280, locale = 'zh-CN' } = {}) => {
      const context = await browser.newContext({ baseURL: server.url, viewport: { width, height: width < 600 ? 844 : 900 }, locale, timezoneId: 'Asia/Shanghai' })
      contexts.push(context)
      const page = await context.newPage()
      watch(page, complaints)
      return page
    })
    await Promise.all(contexts.map((context) => context.close()))
    expect(complaints, 'policy violations and page errors').toEqual([])
  },
})

/** Collects what a page does that it must not: violate the policy, throw. */
export function watch(page: Page, complaints: string[]): void {
  page.on('console', (message) => {
    if (/Content Security Policy|violates the following/i.test(message.text())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
}

/**
 * Opens a page as someone who has logged in on this browser. The form is left
 * to the tests of logging in: these are about what comes after it.
 */
export async function logIn(page: Page, email: string, password: string, path = '/'): Promise<void> {
  const answer = await page.request.post('/api/v1/auth/login', { data: { email, password } })
  if (!answer.ok()) throw new Error(`logging in as ${email}: ${answer.status()} ${await answer.text()}`)
  await page.goto('/favicon.svg') // a page of the same origin that does nothing
  await page.evaluate(
    ({ user, accessToken, refreshToken, expiresIn, device }) => {
      const renewAt = Date.now() + 1000 * Math.max(expiresIn - 60, expiresIn * 0.8)
      localStorage.setItem('wenzhen.login', JSON.stringify({ user, accessToken, refreshToken, renewAt }))
      localStorage.setItem('wenzhen.devices', JSON.stringify({ [user.email]: device }))
    },
    (await answer.json()) as Login,
  )
  await page.goto(path)
}

/** Logs in by the form, as people do. */
export async function logInByHand(page: Page, email: string, password: string): Promise<void> {
  await page.goto('/login')
  await page.locator('input[name=email]').fill(email)
  await page.locator('input[name=password]').fill(password)
  await page.locator('button[type=submit]').click()
  await page.waitForURL((url) => !url.pathname.startsWith('/login'))
}
