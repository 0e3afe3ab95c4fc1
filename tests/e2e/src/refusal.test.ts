/** A case that is refused: the citizen reads why, and what can be done about it, on the phone. */
import { Guard, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { handIn, talk } from './apply.ts'
import { type Running, startServer } from './server.ts'
import { WAIT_MS, openCase, openWindow, refresh, signIn } from './windows.ts'

let server: Running
let browser: Browser
const guard = new Guard({ allow: [/401 .*\/auth\/refresh/] })
beforeAll(async () => {
  server = await startServer()
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

it('a refusal names its reasons and the ways to appeal', async () => {
  const booth = await openWindow(browser, server, 'booth', guard)
  const desk = await openWindow(browser, server, 'console', guard)
  await talk(server, booth, desk, 'chen-zhiyuan', 'agent1')
  const { number, code } = await handIn(booth, desk, { mobile: '13800000004', recipient: '湖南省沅江市第二小学' })
  const phone = await openWindow(browser, server, 'phone', guard)
  await phone.page.goto(code)
  await phone.see('case-number', number)

  const office = await openWindow(browser, server, 'console', guard)
  await signIn(office, '/office/', 'reviewer1')
  await openCase(office, number)
  await office.click('claim')
  await office.see('release')
  await office.click('do-refuse')
  await office.at('reason-own').check()
  await office.at('reason-own-zh').fill('户籍地和居住地都不在本市，请向户籍地公安机关申请。')
  await office.at('reason-own-en').fill('Neither registration nor residence is in this city; please apply where you are registered.')
  await office.at('refuse-opinion').fill('经核查不属本机关管辖。')
  await office.shot('50-office-refuse')
  await office.click('send-refuse')
  await office.see('act-done')

  await refresh(phone)
  await expect.poll(() => phone.at('case-head').getAttribute('data-state'), { timeout: WAIT_MS }).toBe('refused')
  await phone.see('reasons', '户籍地和居住地都不在本市')
  await phone.see('remedies', /复议[\s\S]*诉讼/)
  await phone.shot('51-phone-refused')
  const coming = phone.page.waitForEvent('download')
  await phone.click('decision-pdf')
  expect(await (await coming).path()).toBeTruthy()
  await phone.page.getByText('English', { exact: true }).first().click()
  await phone.see('reasons', 'Neither registration nor residence')
  guard.assertClean()
})
