/** The same call from home: nobody swiped a card, so it is for asking and showing; what needs the card says so. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { eventually, hears, liveTracks, openWindow, say, seatIs, seesMoving, takeSeat } from './windows.ts'

let server: Running
let browser: Browser
const guard = new Guard()
beforeAll(async () => {
  server = await startServer()
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

it('an anonymous call from a phone: check, video, text, hang up', async () => {
  const desk = await openWindow(browser, server, 'console', guard)
  await takeSeat(desk, 'agent1')
  const phone = await openWindow(browser, server, 'phone', guard)
  await phone.page.goto('/phone/')
  await phone.see('call')
  await phone.shot('60-phone-home')
  await phone.click('call')
  await phone.click('check-start')
  await phone.see('queue')
  await phone.shot('61-phone-check')
  await checkAccessibility(phone.page)
  await phone.click('queue')
  const ring = await desk.see('ring-card')
  await eventually(() => ring.innerText(), '没刷卡')
  await desk.click('accept')
  await phone.see('talk-view')
  await Promise.all([seesMoving(desk.at('citizen-video')), seesMoving(phone.at('agent-video'))])
  await hears(desk.at('citizen-video'))
  await phone.shot('62-phone-talk')

  await phone.click('chat')
  await say(phone, 'talk-view', '请问要带什么？')
  await desk.click('panel-4')
  await desk.see('chat', '请问要带什么？')
  await say(desk, 'chat', '带身份证')
  await phone.see('talk-view', '带身份证')
  await phone.shot('63-phone-chat')

  // Without a card the agent cannot even ask for a licence.
  await desk.click('open-form-no-criminal-record')
  await desk.click('panel-2')
  await desk.see('prefill-11100000000013338W011', /刷/)
  expect(await desk.at('ask-consent-11100000000013338W011').isDisabled()).toBe(true)

  await phone.click('hang-up')
  await phone.click('leave-now')
  await phone.see('ended-view')
  await phone.shot('64-phone-ended')
  await expect.poll(() => liveTracks(phone.page)).toBe(0)
  await seatIs(desk, 'wrap_up')
  guard.assertClean()
})
