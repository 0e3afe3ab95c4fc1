/** The co-filled form as a citizen and an agent use it on their pages. */
import type { Locator } from 'playwright-core'
import { expect } from 'vitest'
import { type Window, WAIT_MS, eventually } from './windows.ts'

/** One field's row on a page, and what is typed into. */
export const field = (window: Window, path: string): Locator => window.page.locator(`[data-path="${path}"]`).locator('visible=true').first()
export const control = (window: Window, path: string): Locator => field(window, path).locator('input, select, textarea').first()

/** A button of the paper by its words. */
export async function press(window: Window, words: string): Promise<void> {
  await window.at('form').getByRole('button', { name: words, exact: true }).click()
}
/** The groups of the certificate of no criminal record, in order. */
const GROUPS = ['您的身份', '证明的用途', '查询的时间段', '怎么联系您', '请您本人回答']

/** Turns the pages of the paper to the group with this title. */
export async function toGroup(window: Window, title: string, order: readonly string[] = GROUPS): Promise<void> {
  const heading = window.at('form').locator('.group h3')
  for (let turns = 0; turns < order.length * 2; turns += 1) {
    const now = order.indexOf((await heading.innerText()).trim())
    const step = Math.sign(order.indexOf(title) - now)
    if (step === 0) return
    await press(window, step > 0 ? '下一步' : '上一步')
    await eventually(() => heading.innerText(), order[now + step] ?? '')
  }
}
/** Each deciding fact, then the rest of the group, unless the facts were all that it has. */
export async function confirmGroup(window: Window, title: string): Promise<void> {
  const form = window.at('form')
  const singles = form.getByRole('button', { name: /^这一项对/ })
  const all = form.getByRole('button', { name: '都对', exact: true })
  const isOver = (): Promise<boolean> =>
    form.evaluate((element, wanted) => {
      const [now] = element.querySelectorAll('.group .top')
      return !now?.textContent?.includes(wanted) || now.textContent.includes('已确认')
    }, title)
  for (let left = await singles.count(); left > 0; left -= 1) {
    await singles.first().click()
    await expect.poll(async () => (await isOver()) || (await singles.count()) < left, { timeout: WAIT_MS }).toBe(true)
  }
  if (await isOver()) return
  await all.click()
  await expect.poll(isOver, { timeout: WAIT_MS, message: `${title} is confirmed` }).toBe(true)
}
/** Two strokes on the signature box. */
export async function write(window: Window): Promise<void> {
  const box = await window.at('signature').locator('canvas').boundingBox()
  if (!box) throw new Error('no signature box')
  const { mouse } = window.page
  for (const shift of [0.2, 0.5]) {
    await mouse.move(box.x + box.width * shift, box.y + box.height * 0.3)
    await mouse.down()
    for (let n = 1; n <= 12; n += 1) await mouse.move(box.x + box.width * (shift + n * 0.015), box.y + box.height * (0.3 + (n % 4) * 0.1))
    await mouse.up()
  }
}
