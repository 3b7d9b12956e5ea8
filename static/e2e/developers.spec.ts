import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from '@playwright/test'
import WebSocket from 'ws'
import { expect, logIn, password, Person, test } from './world'
import { axeInBothWidths } from './world/axe'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The lines that a page of ours shows. */
const linesOf = (page: Page) => page.getByRole('log').locator('li').filter({ has: page.locator('time') })

async function inLobby(page: Page) {
  await page.goto('/lobby')
  await expect(page.getByText('人在线')).toBeVisible()
}

test('a bare page, a page with socket.io-client, Node ws, the Go client and our own page are in the lobby together', async ({ browserOf, browser, server }) => {
  test.setTimeout(180_000)
  const url = `${server.url.replace('http', 'ws')}/chat`
  const ours = await browserOf()
  await inLobby(ours)

  // The example, in a page of the server's origin, which may connect. It must come over the network:
  // Chromium keeps pages that do not from connecting to this machine.
  const bare = await (await browser.newContext({ bypassCSP: true })).newPage()
  await bare.goto(`${server.url}/healthz?url=${encodeURIComponent(url)}`)
  await bare.setContent(await readFile(`${root}examples/browser.html`, 'utf8'))
  await expect(bare.locator('li').first()).toContainText('* Welcome')

  // A page without a bundler, with the client that the server has.
  const socket = await browserOf()
  await socket.route('**/other-page/', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>other</title><ol></ol><script src="/socket.io/socket.io.js"></script>' }),
  )
  await socket.goto('/other-page/')
  await socket.evaluate(async () => {
    interface Client {
      on(name: string, listener: (data: { nickname: string; text: string }) => void): void
      emit(name: string, data: unknown): void
    }
    const page = window as unknown as { io: (namespace: string, options: unknown) => Client; lobby: Client }
    page.lobby = page.io('/lobby', { auth: { nickname: 'socket' } })
    page.lobby.on('lobby:said', ({ nickname, text }) => {
      const line = document.createElement('li')
      line.textContent = `${nickname}: ${text}`
      document.querySelector('ol')?.append(line)
    })
    await new Promise<void>((entered) => page.lobby.on('lobby:welcome', () => entered()))
  })

  const received: string[] = []
  const node = new WebSocket(`${url}?nickname=node`)
  node.on('message', (data: Buffer) => received.push(data.toString()))
  await expect.poll(() => received.length).toBeGreaterThan(1)

  // All talk at once.
  const texts = ['from the file', 'from socket.io', 'from node', 'hello from go', 'from our page']
  await Promise.all([
    bare.getByRole('textbox').fill(texts[0] ?? '').then(() => bare.keyboard.press('Enter')),
    socket.evaluate((text) => (window as unknown as { lobby: { emit: (name: string, data: unknown) => void } }).lobby.emit('lobby:say', { text }), texts[1]),
    new Promise((sent) => node.send(texts[2] ?? '', sent)),
    promisify(execFile)('go', ['run', '-trimpath', './examples/go'], { cwd: root, env: { ...process.env, WENZHEN_URL: server.url }, timeout: 120_000 }),
    ours.locator('input[name=line]').fill(texts[4] ?? '').then(() => ours.keyboard.press('Enter')),
  ])
  const said = (lines: string[]) => lines.map((line) => texts.find((text) => line.endsWith(text))).filter((text) => text !== undefined)
  await expect.poll(() => said(received).length).toBe(texts.length)
  const order = said(received)
  await expect.poll(async () => said(await bare.locator('li').allTextContents())).toEqual(order)
  await expect.poll(async () => said(await socket.locator('li').allTextContents())).toEqual(order)
  await expect.poll(async () => said(await linesOf(ours).locator('.text').allTextContents())).toEqual(order)
  node.close()
  await bare.context().close()
})

test('the lobby shows messages in order and once, also after an interruption, with nicknames', async ({ browserOf, server }) => {
  const li = await browserOf()
  const bo = await browserOf()
  await inLobby(li)
  await inLobby(bo)
  await bo.getByTitle('修改昵称').click()
  await bo.locator('input[name=nickname]').fill('小波')
  await bo.keyboard.press('Enter')
  await expect(bo.getByTitle('修改昵称')).toHaveText('昵称：小波')
  await bo.locator('input[name=line]').fill('<img src=x onerror="document.title=\'owned\'"><b>粗</b>')
  await bo.keyboard.press('Enter')
  const line = linesOf(li).last()
  await expect(line).toContainText('小波')
  await expect(line.locator('.text')).toHaveText('<img src=x onerror="document.title=\'owned\'"><b>粗</b>')
  await expect(line.locator('b, img')).toHaveCount(0)
  const before = await linesOf(li).allTextContents()

  await server.kill()
  await expect(li.getByText('正在连接')).toBeVisible()
  await server.run()
  await expect(li.getByText('人在线')).toBeVisible({ timeout: 30_000 })
  await expect(linesOf(li)).toHaveText(before)
  await expect(bo.getByText('人在线')).toBeVisible({ timeout: 30_000 })
  await bo.locator('input[name=line]').fill('还在吗')
  await bo.keyboard.press('Enter')
  await expect(linesOf(li).last()).toContainText('还在吗')
  await bo.reload() // the name is kept
  await expect(bo.getByTitle('修改昵称')).toHaveText(/昵称：小波/)
})

test('the docs can be searched, read, and tried with one’s own login, over REST and Socket.IO', async ({ browserOf, server }) => {
  const patient = await Person.register(server.url, 'patient', 'Tester', 'en')
  const page = await browserOf({ locale: 'en-US' })
  await page.goto('/docs')
  const search = page.getByRole('textbox', { name: 'Search' })

  await search.fill('GET /api/v1/me')
  const me = page.locator('article').filter({ has: page.locator('code', { hasText: /^\/api\/v1\/me$/ }) })
  await me.getByRole('button').first().click()
  await me.getByRole('button', { name: 'Try it' }).click()
  await me.getByRole('button', { name: 'Send' }).click()
  await expect(me.locator('.status')).toHaveText('unauthenticated')

  await logIn(page, patient.user.email, password, '/docs')
  await search.fill('GET /api/v1/me')
  await me.getByRole('button').first().click()
  await me.getByRole('button', { name: 'Try it' }).click()
  await me.getByRole('button', { name: 'Send' }).click()
  await expect(me.locator('pre')).toContainText(patient.user.id)

  await search.fill('lobby:say')
  const say = page.locator('article')
  await expect(say).toHaveCount(1)
  await say.getByRole('button').first().click()
  await say.getByRole('button', { name: 'Try it' }).click()
  await say.locator('textarea').fill('{ "text": ')
  await say.getByRole('button', { name: 'Send' }).click()
  await expect(say.getByRole('alert')).toContainText('not valid JSON')
  await say.locator('textarea').fill('{ "text": "from the docs" }')
  await say.getByRole('button', { name: 'Send' }).click()
  await expect(say.locator('.status')).toHaveText('OK')
  await expect(say.locator('pre')).toContainText('from the docs')
  await expect(page.getByRole('region', { name: 'Events received' }).getByText('/lobby lobby:said')).toBeVisible()
})

test('the connection page shows the upgrade, polling, and coming back', async ({ browserOf }) => {
  const page = await browserOf({ locale: 'en-US' })
  await page.goto('/connection')
  const transport = page.locator('[data-fact=transport]')
  await expect(transport).toHaveText('WebSocket')
  await expect(page.getByRole('log')).toContainText('Upgraded')
  await expect(page.locator('[data-fact=round-trip]')).toContainText('ms')
  await expect(page.getByText('PING every 25 s')).toBeVisible()
  await page.getByRole('button', { name: 'Long-polling only' }).click()
  await expect(transport).toHaveText('Long-polling')
  await page.getByRole('button', { name: 'WebSocket only' }).click()
  await expect(transport).toHaveText('WebSocket')
  await page.getByRole('button', { name: 'Disconnect' }).click()
  await expect(page.locator('[data-fact=reconnects]')).toHaveText('1')
  await expect(transport).toHaveText('WebSocket')
})

test('axe finds nothing on the developers’ pages, on a phone and on a desk', async ({ browserOf }) => {
  test.setTimeout(180_000)
  const page = await browserOf({ locale: 'en-US' })
  for (const path of ['/lobby', '/docs', '/connection']) {
    await page.goto(path)
    if (path === '/docs') {
      await page.getByRole('textbox', { name: 'Search' }).fill('message:send')
      await page.locator('article').first().getByRole('button').first().click()
      await page.getByRole('button', { name: 'Try it' }).first().click()
    }
    await axeInBothWidths(page, path)
  }
})

for (const width of [390, 1440]) {
  for (const locale of ['zh-CN', 'en'] as const) {
    test(`screens of the developers’ pages at ${width} px in ${locale}`, async ({ browserOf, server }) => {
      const page = await browserOf({ width, locale })
      const other = new WebSocket(`${server.url.replace('http', 'ws')}/chat?nickname=${locale === 'en' ? 'Maria' : encodeURIComponent('李明')}`)
      await new Promise((open) => other.once('open', open))
      for (const text of locale === 'en' ? ['Good morning!', 'Is anyone else from the cardiology class here?'] : ['大家早上好！', '有人参加过高血压讲座吗？']) other.send(text)
      await page.goto('/lobby')
      await page.waitForTimeout(800)
      await page.screenshot({ path: `test-results/shots/developers-${width}-${locale}-lobby.png` })
      await page.goto('/docs')
      await page.waitForTimeout(1000)
      await page.screenshot({ path: `test-results/shots/developers-${width}-${locale}-docs.png` })
      await page.locator('input[name=sought]').fill('message:send')
      await page.locator('article').first().getByRole('button').first().click()
      await page.locator('article .more > div > button').first().click()
      await page.evaluate(() => window.scrollTo(0, 0))
      await page.waitForTimeout(400)
      await page.screenshot({ path: `test-results/shots/developers-${width}-${locale}-docs-try.png`, fullPage: true })
      await page.goto('/connection')
      await page.waitForTimeout(9000)
      await page.screenshot({ path: `test-results/shots/developers-${width}-${locale}-connection.png`, fullPage: true })
      other.close()
    })
  }
}
