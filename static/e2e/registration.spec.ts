import { expect, logInByHand, test as base, WenzhenServer } from './world'
import { axe } from './world/axe'
import { speak } from './world/looks'
import { openPost, type Post } from './world/outside'
import { admin } from './world/server'
import { totp } from './world/totp'

// A server as clinics run it: an account comes to be by a link in a mail, and staff need a second factor.
const test = base.extend<object, { post: Post }>({
  post: [
    async ({}, use) => {
      const post = await openPost()
      await use(post)
      await post.close()
    },
    { scope: 'worker' },
  ],
  server: [
    async ({ post }, use) => {
      const server = await WenzhenServer.start('--confirm-registration', 'on', '--mail-server', post.url, '--second-factor', 'staff')
      await use(server)
      await server.stop()
    },
    { scope: 'worker' },
  ],
})

test('a patient registers on a phone: the link in the mail makes the account, and works once', async ({ browserOf, post }) => {
  const email = 'xiaoma@e2e.example'
  const page = await browserOf({ width: 390 })
  await page.goto('/register')
  await page.locator('input[name=name]').fill('小马')
  await page.locator('input[name=email]').fill(email)
  await page.locator('input[name=password]').fill('a long password of hers')
  await page.getByRole('button', { name: '注册', exact: true }).click()
  await expect(page.getByRole('status').filter({ hasText: email })).toContainText('我们已向 xiaoma@e2e.example 发送邮件')
  await axe(page, 'mail on its way')
  const refused = await page.request.post('/api/v1/auth/login', { data: { email, password: 'a long password of hers' } })
  expect(refused.status(), 'there is no account yet').toBe(401)

  const link = await post.linkTo(email, '/email/verify')
  await page.goto(link.pathname + link.hash)
  // The link alone does not open the account, in case the mail reached another person: the password is required.
  const password = page.getByRole('textbox', { name: '密码' })
  await password.fill('a guess of a stranger')
  await page.getByRole('button', { name: '验证', exact: true }).click()
  await expect(page.getByRole('alert')).toHaveText('密码与注册时设置的不一致。')
  await axe(page, 'asks for the password')
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/confirm-390-zh.png` })
  await password.fill('a long password of hers')
  await page.getByRole('button', { name: '验证', exact: true }).click()
  await expect(page.getByRole('status').filter({ hasText: '邮箱已验证' })).toBeVisible()
  await axe(page, 'confirmed')
  await page.reload()
  await expect(page.getByRole('alert')).toHaveText('该链接已使用或已过期。')
  await logInByHand(page, email, 'a long password of hers')
  await expect(page).toHaveURL(/\/doctors/)
})

test('an admin without a second factor sets one up before anything else', async ({ browserOf }) => {
  const page = await browserOf({ locale: 'en-US' })
  await speak(page, 'en')
  await page.clock.install()
  await logInByHand(page, admin.email, admin.password)
  await expect(page.getByRole('alert').filter({ hasText: 'must use two-factor authentication' })).toBeVisible()
  await expect(page).toHaveURL(/\/account\?/)
  await page.goto('/admin/users')
  await expect(page, 'nothing else is open').toHaveURL(/\/account\?/)
  const security = page.getByRole('region', { name: 'Login and security' })
  await expect(security.getByRole('button', { name: 'Turn on' })).toBeVisible()
  await page.clock.fastForward(10_000) // the connection is refused, not lost
  await expect(page.getByTestId('offline-banner')).toBeHidden()
  await axe(page, 'second factor required')
  await security.getByRole('button', { name: 'Turn on' }).click()
  const dialog = page.getByRole('dialog')
  const secret = await dialog.locator('code').innerText()
  await dialog.locator('input[name=otp]').fill(totp(secret))
  await dialog.getByRole('button', { name: 'Turn on two-factor authentication' }).click()
  await expect(page.getByTestId('recovery-codes').locator('li')).toHaveCount(10)
  await page.getByRole('button', { name: 'I’ve saved them' }).click()
  await expect(page).toHaveURL(/\/admin/)
  await page.getByRole('link', { name: 'Users', exact: true }).click()
  await expect(page.getByRole('list', { name: 'Users' }).getByText(admin.email)).toBeVisible()
  await page.clock.fastForward(10_000)
  await expect(page.getByTestId('offline-banner')).toBeHidden()
})
