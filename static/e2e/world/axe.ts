import AxeBuilder from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

/** Nothing is loading, and nothing but what moves for long moves any more: what fades would be measured half-way. */
export async function settled(page: Page): Promise<void> {
  await expect(page.locator('.el-skeleton')).toHaveCount(0)
  // What begins to move does so with the next frame.
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
  await expect
    .poll(() => page.evaluate(() => document.getAnimations().filter((a) => a.playState === 'running' && Number(a.effect?.getComputedTiming().endTime) < 2_000).length))
    .toBe(0)
}

/** Turns the page's transitions and animations off: what fades while axe measures its contrast would be reported. */
const stop = (page: Page) =>
  page.evaluate(() => {
    // The page's content security policy allows a constructed style sheet, but no inline one.
    const still = new CSSStyleSheet()
    still.replaceSync('*, ::before, ::after { transition: none !important; animation: none !important }')
    document.adoptedStyleSheets.push(still)
  })

/** Expects axe to find no violation on the page, or in the given part of it. */
export async function axe(page: Page, name = page.url(), part = 'html'): Promise<void> {
  await settled(page)
  await stop(page)
  await settled(page)
  const { violations } = await new AxeBuilder({ page })
    .options({ resultTypes: ['violations'] })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .setLegacyMode() // no other page is opened to put frames together: there are none
    .include(part)
    .analyze()
  await page.evaluate(() => document.adoptedStyleSheets.pop())
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`), name).toEqual([])
}

/** The same on a phone and on a desk: one page that is looked at in both widths. */
export async function axeInBothWidths(page: Page, name = page.url(), part?: string): Promise<void> {
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: width < 600 ? 844 : 900 })
    await axe(page, `${name} at ${width} px`, part)
  }
}
