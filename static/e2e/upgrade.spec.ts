import { expect, logIn, password, Person, test } from './world'

// What an open tab does when the parts that its other pages are made of are gone.

test('after an upgrade a link opens its page anew, once, and keeps what was being written', async ({ browserOf, server }) => {
  const doctor = await Person.practise(server.url, '许医生')
  const patient = await Person.register(server.url, 'patient', '小周')
  const c = await patient.consult(doctor)
  await doctor.accept(c)
  const page = await browserOf()
  await logIn(page, patient.user.email, password, `/consultations/${c.id}`)
  const box = page.getByRole('textbox', { name: '输入消息' })
  await box.fill('写到一半')

  // The page that is left needs parts of the old version, until it is opened anew.
  let opened = 0
  page.on('request', (request) => {
    if (request.isNavigationRequest()) opened++
  })
  const gone = (url: URL) => url.pathname.startsWith('/assets/') && url.pathname.endsWith('.js')
  await page.route(gone, (route) => (opened > 0 ? route.continue() : route.fulfill({ status: 404 })))
  await page.getByRole('link', { name: '预约' }).first().click()
  await expect.poll(() => opened).toBe(1)
  await expect(page.locator('main h1').first()).toBeVisible()

  await page.goto(`/consultations/${c.id}`)
  await expect(page.getByRole('textbox', { name: '输入消息' })).toHaveValue('写到一半')
})

test('a part that stays away is no reason to open a page again and again', async ({ browserOf, server }) => {
  const patient = await Person.register(server.url, 'patient', '小吴')
  const page = await browserOf()
  await logIn(page, patient.user.email, password, '/doctors')
  await expect(page.getByRole('textbox', { name: '搜索姓名' })).toBeVisible()
  let opened = 0
  page.on('request', (request) => {
    if (request.isNavigationRequest()) opened++
  })
  await page.route(/\/assets\/DevicesPage[^/]*\.js$/, (route) => route.fulfill({ status: 404 }))
  await page.evaluate(() => {
    const link = document.querySelector<HTMLAnchorElement>('a[href="/devices"]')
    if (link) link.click()
    else {
      history.pushState({}, '', '/devices')
      window.dispatchEvent(new PopStateEvent('popstate', { state: {} }))
    }
  })
  await expect(page.getByText('系统已更新')).toBeVisible()
  expect(opened).toBe(1)
})
