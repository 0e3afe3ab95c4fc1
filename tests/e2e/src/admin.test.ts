/** The administrator keeps the desk's rules: skills, slots, AB seats, other halls. Faults stand at their fields, nothing typed is
 * lost to a colleague who was faster, to a closed sheet or to a broken line. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { type Window, openWindow, signIn } from './windows.ts'

let server: Running
let browser: Browser
// A first visit has no sign-in; a refusal and a broken line are what the journeys are about.
const guard = new Guard({ allow: [/401 .*\/auth\/refresh/, /status of (409|422)/, /ERR_INTERNET_DISCONNECTED/] })
beforeAll(async () => {
  server = await startServer()
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

async function admin(at: string): Promise<Window> {
  const window = await openWindow(browser, server, 'console', guard)
  await signIn(window, `/admin${at}`, 'admin')
  return window
}
async function toast(window: Window, text: string): Promise<void> {
  await window.page.getByRole('status').filter({ hasText: text }).waitFor()
}
const noSideways = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

describe('the administrator', () => {
  it('sets skills; who comes late is told by whom, and chooses', async () => {
    const [one, two] = [await admin('/staff'), await admin('/staff')]
    for (const window of [one, two]) {
      await window.see('staff-agent3', /孙倩/)
      await window.click('edit-agent3')
      await window.see('edit-sheet', /孙倩的技能/)
    }
    await one.at('skill-police-2').check()
    // The arrow keys move within one skill.
    await one.page.keyboard.press('ArrowRight')
    await expect.poll(() => one.at('skill-police-3').isChecked()).toBe(true)
    await checkAccessibility(one.page)
    await one.page.keyboard.press('Control+Enter')
    await toast(one, '孙倩的技能已保存')
    await one.see('staff-agent3', /公安\s*3|3/)

    await two.at('skill-medical-5').check()
    await two.click('keep')
    await two.see('stale', /朱琳/)
    expect(await two.at('skill-medical-5').isChecked(), 'what was typed is kept').toBe(true)
    await checkAccessibility(two.page)
    await two.shot('110-admin-stale')
    await two.click('take-theirs')
    await expect.poll(() => two.at('skill-police-3').isChecked()).toBe(true)
    await expect.poll(() => two.at('skill-medical-5').isChecked()).toBe(false)

    // Closing asks first.
    await two.at('skill-medical-4').check()
    await two.page.keyboard.press('Escape')
    await two.see('unsaved')
    await two.click('go-on')
    await two.click('edit-cancel')
    await two.click('discard')
    await two.gone('edit-sheet')
    await two.page.reload()
    await two.see('staff-agent3')
    await two.at('find-words').fill('没有这个人')
    await two.see('empty-filtered')
    await two.shot('111-admin-staff-none')
    guard.assertClean()
    await one.context.close()
    await two.context.close()
  })

  it('sets slots and how many texts at once; each fault stands at its field', async () => {
    const window = await admin('/queues/slots')
    await window.see('slots-general')
    await window.click('edit-general')
    await window.at('field-capacity').fill('0')
    await window.click('keep')
    await window.see('fault-capacity', /1到500/)
    await window.at('field-capacity').fill('6')
    await window.click('add-hours')
    await window.at('field-hours-2-from').fill('11:00')
    await window.at('field-hours-2-to').fill('12:00')
    await window.click('keep')
    await window.see('fault-hours-2')
    await checkAccessibility(window.page)
    await window.shot('112-admin-slots-fault')
    // The summary has the focus and leads to the place.
    await window.at('edit-faults').getByRole('link').first().click()
    await expect.poll(() => window.page.evaluate(() => document.activeElement?.id)).toBe('field-hours-2')
    await window.at('field-hours-2-days').selectOption('weekend')
    await window.see('effect', /26段，共156个号；周末和节假日共24个号/)
    await window.click('keep')
    await toast(window, '预约时段已保存')
    await window.see('slots-general', /156/)

    await window.click('tab-queues')
    await window.click('edit-general')
    await window.see('edit-sheet', /同时接的文字咨询（1–8个）/)
    await window.at('field-rule-text_slots').fill('9')
    await window.click('keep')
    await window.see('fault-rule-text_slots', /1到8/)
    await window.at('field-rule-text_slots').fill('3')
    await checkAccessibility(window.page)
    await window.shot('113-admin-rule')
    await window.page.context().setOffline(true)
    await window.see('offline')
    await window.see('edit-sheet', /网络断了，现在不能保存/)
    await window.page.context().setOffline(false)
    await window.gone('offline')
    await window.click('keep')
    await toast(window, '规则已保存')
    await expect.poll(() => window.at('queue-general').innerText()).toMatch(/\b3\b/)
    guard.assertClean()
    await window.context.close()
  })

  it('sets and removes AB seats, in the dark, in English and on a phone', async () => {
    const window = await admin('/queues/pairs')
    await window.see('pair-no-criminal-record')
    await window.click('edit-no-criminal-record')
    await window.click('keep')
    await window.see('fault-a_staff')
    const nameOf = (account: string): Promise<string> => window.at('field-a_staff').locator('option', { hasText: account }).getAttribute('value').then((id) => id ?? '')
    await window.at('field-a_staff').selectOption(await nameOf('agent1'))
    await window.at('field-b_staff').selectOption(await nameOf('agent1'))
    await window.click('keep')
    await window.see('fault-b_staff')
    await window.at('field-b_staff').selectOption(await nameOf('agent4'))
    await window.see('unable', /吴涛/)
    await window.at('field-b_staff').selectOption(await nameOf('agent2'))
    await window.click('keep')
    await toast(window, '主办、协办已保存')
    await window.see('pair-no-criminal-record', /李敏\s+赵磊/)
    await window.page.getByRole('button', { name: '深色' }).click()
    await window.page.getByRole('button', { name: /English/ }).click()
    await checkAccessibility(window.page)
    await window.shot('114-admin-pairs-dark-en')
    await window.page.setViewportSize({ width: 390, height: 844 })
    for (const at of ['pairs', 'slots', 'queues', 'halls'] as const) {
      await window.click(`tab-${at}`)
      await window.page.getByRole('main').getByRole('heading', { level: 1 }).waitFor()
      expect(await noSideways(window.page), at).toBeLessThanOrEqual(0)
      await checkAccessibility(window.page)
      await window.shot(`115-admin-phone-${at}`)
    }
    await window.click('tab-pairs')
    await window.click('remove-no-criminal-record')
    await window.see('act-sheet', /Remove the AB seats/)
    await window.click('act-do')
    await window.see('pair-no-criminal-record', /Not set/)
    guard.assertClean()
    await window.context.close()
  })

  it('no longer serves another hall’s people, and agrees to it again', async () => {
    const window = await admin('/queues/halls')
    const row = await window.see('halls', /南县/)
    const neighbour = (await row.locator('tbody tr').first().getAttribute('data-testid'))?.slice('hall-'.length) ?? ''
    await window.see(`hall-${neighbour}`, /已同意/)
    await window.click(`consent-${neighbour}`)
    await window.see('act-sheet', /不再接南县[\s\S]*退回原来的队/)
    await checkAccessibility(window.page)
    await window.shot('116-admin-halls')
    await window.click('act-do')
    await toast(window, '的人了')
    await window.see(`hall-${neighbour}`, /不接/)
    await window.click(`consent-${neighbour}`)
    await window.see('act-sheet', /同意接南县/)
    await window.click('act-do')
    await toast(window, '已同意接南县')
    await expect.poll(() => window.at(`hall-${neighbour}`).innerText()).not.toMatch(/不接/)
    guard.assertClean()
    await window.context.close()
  })
})
