import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext, Page } from '@playwright/test'
import { expect, logInByHand, password, Person, test as base, watch, WenzhenServer } from './world'
import { axeInBothWidths } from './world/axe'
import { openPost, type Post } from './world/outside'
import { Provider } from './world/provider'
import { totp } from './world/totp'

interface Centre {
  server: WenzhenServer
  provider: Provider
  post: Post
}

type Open = (options?: { width?: number; locale?: string }) => Promise<Page>

const test = base.extend<{ open: Open }, { centre: Centre }>({
  centre: [
    async ({}, use) => {
      const provider = new Provider()
      const [post] = await Promise.all([openPost(), provider.start()])
      const folder = await mkdtemp(join(tmpdir(), 'wenzhen-providers-'))
      const file = join(folder, 'providers.json')
      await writeFile(file, JSON.stringify([{ id: 'clinic', name: 'Clinic ID', issuer: provider.url, clientId: 'wenzhen', clientSecret: 'secret' }]))
      const server = await WenzhenServer.start('--identity-providers', file, '--mail-server', post.url)
      await use({ server, provider, post })
      await Promise.all([server.stop(), provider.stop(), post.close(), rm(folder, { recursive: true })])
    },
    { scope: 'worker' },
  ],
  /** A new browser on the host that passkeys are made for. */
  open: async ({ browser, centre }, use) => {
    const contexts: BrowserContext[] = []
    const complaints: string[] = []
    await use(async ({ width = 1280, locale = 'zh-CN' } = {}) => {
      const context = await browser.newContext({ baseURL: centre.server.url.replace('127.0.0.1', 'localhost'), viewport: { width, height: width < 600 ? 844 : 900 }, locale })
      contexts.push(context)
      const page = await context.newPage()
      watch(page, complaints)
      return page
    })
    await Promise.all(contexts.map((context) => context.close()))
    expect(complaints, 'policy violations and page errors').toEqual([])
  },
})

/** Adds a virtual authenticator to the browser, which confirms the user's presence. */
async function authenticator(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  })
}

test.describe.configure({ timeout: 240_000 })

const security = (page: Page) => page.getByRole('region', { name: '登录与安全' })

test('log in with an account from elsewhere, protect it with a second factor, log out on both sides', async ({ centre, open }) => {
  centre.provider.who = { sub: 'zhang-bo', email: 'zhang.bo@clinic-id.example', name: '张波' }
  const page = await open()
  const arrive = async () => {
    await page.goto('/login?next=/account')
    await page.getByRole('link', { name: '使用 Clinic ID 登录' }).click()
    await page.getByRole('link', { name: 'Yes, log in' }).click()
  }
  await arrive()
  await expect(page).toHaveURL(/\/account$/)
  await expect(security(page).getByText('zhang.bo@clinic-id.example')).toBeVisible()

  await security(page).getByRole('button', { name: '开启' }).click()
  const secret = await page.locator('code').first().innerText()
  await page.locator('input[name=otp]').fill(totp(secret))
  await page.getByRole('button', { name: '开启两步验证' }).click()
  const codes = page.getByTestId('recovery-codes').locator('li')
  await expect(codes).toHaveCount(10)
  const recovery = await codes.first().innerText()
  await page.getByRole('button', { name: '我已保存' }).click()
  await expect(security(page).getByText('已开启，剩余 10 个恢复码')).toBeVisible()

  // The only way in stays.
  await security(page).getByRole('button', { name: '取消关联 Clinic ID' }).click()
  await expect(page.getByText('这是此账户唯一的登录方式，请先添加其他方式。')).toBeVisible()

  await page.getByRole('banner').or(page.locator('.page > header')).getByRole('button', { name: '退出' }).first().click()
  await expect.poll(() => centre.provider.ended).toBe(1) // at the provider, too
  await expect(page).toHaveURL(/\/login/)
  await arrive()
  await expect(page.getByRole('heading', { name: '两步验证' })).toBeVisible()
  await page.locator('input[name=otp]').fill('000000')
  await page.getByRole('button', { name: '验证', exact: true }).click()
  await expect(page.getByRole('alert')).toHaveText('验证码不正确，或已被使用过。')
  await page.locator('input[name=otp]').fill(recovery)
  await page.getByRole('button', { name: '验证', exact: true }).click()
  await expect(page).toHaveURL(/\/account$/)
  await expect(security(page).getByText('已开启，剩余 9 个恢复码')).toBeVisible()
})

test('a password account: second factor, passkey, link an account from elsewhere, sessions', async ({ centre, open }) => {
  centre.provider.who = { sub: 'xiao-li', email: 'xiao.li@clinic-id.example', name: '小李' }
  const patient = await Person.register(centre.server.url, 'patient', '小李')
  const page = await open()
  await authenticator(page)
  await logInByHand(page, patient.user.email, password)
  await page.goto('/account')

  await security(page).getByRole('button', { name: '添加通行密钥' }).click()
  await page.getByRole('dialog').locator('input').fill('我的电脑')
  await page.getByRole('dialog').getByRole('button', { name: '添加通行密钥' }).click()
  await expect(security(page).getByText('我的电脑')).toBeVisible()

  await security(page).getByRole('button', { name: '关联 Clinic ID' }).click()
  await page.getByRole('link', { name: 'Yes, log in' }).click()
  await expect(page).toHaveURL(/\/account\?linked=clinic/)
  await expect(page.getByText('已关联 Clinic ID')).toBeVisible()

  await security(page).getByRole('button', { name: '开启' }).click()
  const secret = await page.locator('code').first().innerText()
  await page.locator('input[name=otp]').fill(totp(secret))
  await page.getByRole('button', { name: '开启两步验证' }).click()
  await page.getByRole('button', { name: '我已保存' }).click()

  const out = () => page.locator('.page > header').getByRole('button', { name: '退出' }).click()
  await out()
  // A passkey needs no second factor.
  await page.goto('/login')
  await page.getByRole('button', { name: '使用通行密钥登录' }).click()
  await expect(page).toHaveURL(/\/doctors/)
  await page.goto('/account')
  await expect(page.getByText('通行密钥 ·')).toBeVisible()
  await out()

  // A password does.
  await page.goto('/login')
  await page.locator('input[name=email]').fill(patient.user.email)
  await page.locator('input[name=password]').fill(password)
  await page.locator('button[type=submit]').click()
  await expect(page.getByRole('heading', { name: '两步验证' })).toBeVisible()
  await page.locator('input[name=otp]').fill(totp(secret, 1))
  await page.getByRole('button', { name: '验证', exact: true }).click()
  await expect(page).toHaveURL(/\/doctors/)

  await page.goto('/account')
  await page.getByRole('button', { name: '删除 我的电脑' }).click()
  await expect(security(page).getByText('还没有通行密钥')).toBeVisible()
  await page.getByRole('button', { name: '退出其他设备' }).or(page.getByRole('button', { name: /其他/ })).first().click()
  await expect(page.getByRole('region', { name: '登录设备' }).getByRole('listitem')).toHaveCount(1)
})

test('confirm the address, forget the password, set a new one by mail', async ({ centre, open }) => {
  const patient = await Person.register(centre.server.url, 'patient', '小王')
  const { email } = patient.user
  const page = await open()
  const link = (path: string) => centre.post.linkTo(email, path)
  const verify = await link('/email/verify')
  await page.goto(verify.pathname + verify.hash)
  await expect(page.getByText('邮箱已验证，谢谢。')).toBeVisible()
  await page.reload()
  await expect(page.getByRole('alert')).toHaveText('该链接已使用或已过期。')

  await page.goto('/login')
  await page.getByRole('link', { name: '忘记密码？' }).click()
  await expect(page.getByRole('heading', { name: '重设密码' })).toBeVisible() // the login page has a field for an address too
  await page.locator('input[name=email]').fill(email)
  await page.getByRole('button', { name: '发送链接' }).click()
  await expect(page.getByText(/您很快会收到邮件/)).toBeVisible()
  const reset = await link('/password/reset')
  await page.goto(reset.pathname + reset.hash)
  await page.locator('input[name=new-password]').fill('a new password')
  await page.getByRole('button', { name: '保存新密码' }).click()
  await expect(page).toHaveURL(/\/login/)
  await logInByHand(page, email, 'a new password')
  await page.goto('/account')
  await expect(security(page).getByText('已验证')).toBeVisible()

  // A user is notified of a login on a new device.
  let phones = 0
  await expect(async () => {
    const headers = { 'Content-Type': 'application/json', 'User-Agent': `Mozilla/5.0 (iPhone; phone ${++phones}) Safari/605.1` }
    const body = JSON.stringify({ email, password: 'a new password' })
    expect((await fetch(`${centre.server.url}/api/v1/auth/login`, { method: 'POST', headers, body })).status).toBe(200)
    await expect(page.getByRole('alert').filter({ hasText: '新设备' }).first()).toContainText('Safari · iOS', { timeout: 3_000 })
  }).toPass({ timeout: 60_000 })
})

test('a browser that a doctor leaves alone warns, and logs off', async ({ centre, open }) => {
  const doctor = await Person.practise(centre.server.url, '周医生')
  const page = await open()
  await page.clock.install()
  await logInByHand(page, doctor.user.email, password)
  await page.clock.runFor(1_000)
  await page.clock.fastForward(119.5 * 60_000)
  await page.clock.runFor(1_500)
  await expect(page.getByRole('dialog', { name: '您还在使用吗？' })).toBeVisible()
  await page.getByRole('button', { name: '保持登录' }).click()
  await page.clock.runFor(1_500)
  await expect(page.getByRole('dialog', { name: '您还在使用吗？' })).toBeHidden()
  await page.clock.fastForward(121 * 60_000)
  await page.clock.runFor(1_500)
  await expect(page).toHaveURL(/\/login/)
})

test('axe finds nothing in the account centre, on a phone and on a desk', async ({ centre, open }) => {
  const patient = await Person.register(centre.server.url, 'patient', '小李')
  const page = await open()
  for (const path of ['/login', '/login?problem=email_taken', '/password/forgot', '/password/reset#x', '/email/verify#x', '/login/finish#x']) {
    await page.goto(path)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await axeInBothWidths(page, path)
  }
  await logInByHand(page, patient.user.email, password)
  await page.goto('/account')
  await expect(security(page).getByText('两步验证')).toBeVisible()
  await axeInBothWidths(page, 'account')
  await security(page).getByRole('button', { name: '开启' }).click()
  await expect(page.getByRole('img', { name: '身份验证器的二维码' })).toBeVisible()
  await axeInBothWidths(page, 'second factor', '[role=dialog]')
})
