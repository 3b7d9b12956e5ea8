import { expect, logIn, password, test } from './world'
import { axe } from './world/axe'
import { looks, speak } from './world/looks'
import { meeting } from './world/media'
import { picture } from './world/picture'

// Pictures that have no thumbnail: those that browsers do not show, and those
// that are too large. Pictures of the screens are in test-results/shots.

// A trace fetches what an <img> could not show, which the policy of the page forbids.
test.use({ trace: 'off' })

/** The beginning of a picture as iPhones take it, which no browser here can show. */
const heic = Buffer.concat([Buffer.from('\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic', 'latin1'), Buffer.alloc(40_000)])
const tiff = Buffer.concat([Buffer.from('II*\x00\x08\x00\x00\x00\x00\x00', 'latin1'), Buffer.alloc(40_000)])

/** One of 17 million points, which takes seconds to make: once for all tests. */
let manyPoints: Buffer | undefined
const large = () => (manyPoints ??= picture(4200, 4100))

for (const [width, locale] of looks) {
  test(`pictures without a thumbnail, ${width} wide in ${locale}`, async ({ browserOf, server }) => {
    test.setTimeout(180_000)
    const { doctor, patient, consultation } = await meeting(server.url)
    const [mine, theirs] = [await browserOf({ width }), await browserOf({ width })]
    const fetched: string[] = []
    theirs.on('request', (r) => void (r.url().includes('/attachments/') && fetched.push(r.url())))
    for (const [page, person] of [
      [mine, patient],
      [theirs, doctor],
    ] as const) {
      await speak(page, locale)
      await logIn(page, person.user.email, password, `/consultations/${consultation.id}`)
    }
    const files = [
      { name: 'IMG_0001.HEIC', mimeType: 'image/heic', buffer: heic },
      { name: `${'检查报告'.repeat(12)}.tiff`, mimeType: 'image/tiff', buffer: tiff },
      { name: 'IMG_20261121_64MP.png', mimeType: 'image/png', buffer: large() },
    ]
    for (const file of files) await mine.getByTestId('image-input').setInputFiles(file)
    const bubbles = theirs.locator('article .bubble')
    await expect(bubbles).toHaveCount(3)
    await expect(bubbles.locator('img')).toHaveCount(0)
    await expect(bubbles.first()).toContainText('IMG_0001.HEIC')
    await expect(bubbles.first()).toContainText('39 KB')
    expect(fetched).toEqual([])
    await theirs.screenshot({ path: `test-results/shots/${width}-${locale}-pictures.png` })
    await axe(theirs, 'pictures without a thumbnail')

    // What cannot be shown is saved.
    const saving = theirs.waitForEvent('download')
    await bubbles.first().getByRole('button').click()
    expect((await saving).suggestedFilename()).toBe('IMG_0001.HEIC')

    // What is large is opened when asked for, and saved from there too.
    const buttons = bubbles.nth(2).getByRole('button')
    await expect(buttons).toHaveCount(2)
    await buttons.first().click()
    const opened = theirs.locator('.el-image-viewer__img')
    await expect.poll(() => opened.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(4200)
    await theirs.screenshot({ path: `test-results/shots/${width}-${locale}-pictures-opened.png` })
    const savingToo = theirs.waitForEvent('download')
    await theirs.locator('.el-image-viewer__wrapper').getByRole('button', { name: 'IMG_20261121_64MP.png' }).click()
    expect((await savingToo).suggestedFilename()).toBe('IMG_20261121_64MP.png')
    await theirs.keyboard.press('Escape')
    await expect(opened).toBeHidden()
  })
}

test('a picture that turns out broken is a file', async ({ browserOf, server }) => {
  const { doctor, patient, consultation } = await meeting(server.url)
  const [mine, theirs] = [await browserOf(), await browserOf()]
  await logIn(mine, patient.user.email, password, `/consultations/${consultation.id}`)
  await logIn(theirs, doctor.user.email, password, `/consultations/${consultation.id}`)
  const broken = picture()
  broken.fill(0, 29, 33) // the checksum of its size
  await mine.getByTestId('image-input').setInputFiles({ name: 'broken.png', mimeType: 'image/png', buffer: broken })
  const bubble = theirs.locator('article .bubble')
  await expect(bubble).toContainText('broken.png')
  await expect(bubble.locator('img')).toHaveCount(0)
  const saving = theirs.waitForEvent('download')
  await bubble.getByRole('button').click()
  expect((await saving).suggestedFilename()).toBe('broken.png')
})
