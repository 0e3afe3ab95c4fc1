/** Call-back: nobody on duty is said outright; the place is kept without a page, and the phone rings when it is their turn. What
 * comes after a try in vain (five minutes) is the server tests' business: no journey waits that long. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { type Window, WAIT_MS, chooseState, liveTracks, openBooth, openWindow, seatIs, seesMoving, sitDown, startSeat, takeSeat, wrap } from './windows.ts'

let server: Running
let browser: Browser
let desk: Window
let phone: Window
const guard = new Guard()
beforeAll(async () => {
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
})
beforeEach(async () => {
  server = await startServer()
  desk = await openWindow(browser, server, 'console', guard)
  phone = await openWindow(browser, server, 'phone', guard)
})
afterEach(async () => {
  await phone.context.close()
  await desk.context.close()
  await server?.stop()
})

/** From the phone's home page, while somebody is on duty: the phone rings. */
async function rung(): Promise<void> {
  await takeSeat(desk, 'agent1')
  await phone.page.goto('/phone/')
  await phone.click('call-back')
  await phone.click('call-back-yes')
  await phone.see('call-back-view')
  await desk.see('ring-card')
  await desk.click('accept')
  await phone.see('ring-screen')
}

it('asked for, page closed and opened again, rung, answered', async () => {
  await takeSeat(desk, 'agent1')
  await phone.page.goto('/phone/')
  await phone.click('call')
  await phone.click('check-start')
  await phone.see('queue')
  // The only agent goes while the citizen looks at the camera.
  await chooseState(desk, 'seat-close')
  await desk.see('seat-choice')
  await phone.click('queue')
  await phone.see('no-seats')
  await phone.see('wait-offers', '现在没有人在岗')
  const number = await phone.at('ticket-number').innerText()
  await checkAccessibility(phone.page)
  await phone.shot('91-phone-nobody')
  await phone.click('call-back')
  await phone.click('call-back-yes')
  await phone.see('call-back-view')
  await phone.shot('92-phone-call-back')
  await phone.page.close()

  const again = wrap(phone.context, await phone.context.newPage())
  await again.page.goto('/phone/')
  await again.see('call-back-view', number)
  await startSeat(desk)
  await desk.see('ring-card', number)
  await desk.shot('93-desk-call-back')
  await desk.click('accept')
  await again.see('ring-screen', number)
  await again.see('ring-left', /还响(60|5\d)秒/)
  await checkAccessibility(again.page)
  await again.shot('94-phone-rings')
  // Opened again while it rings, it rings on.
  await again.page.reload()
  await again.see('ring-screen', number)
  await again.click('ring-answer')
  await again.see('talk-view')
  await seatIs(desk, 'busy')
  await seesMoving(again.at('agent-video'))
  guard.assertClean()
})

it('not now: the seat is free at once, the next try is told, also to a page that is opened later', async () => {
  await rung()
  await phone.click('ring-decline')
  await phone.gone('ring-screen')
  await phone.see('call-back-next', /再响一次/)
  await seatIs(desk, 'ready')
  await checkAccessibility(phone.page)
  await phone.shot('95-phone-not-now')
  await phone.page.reload()
  await phone.see('call-back-next', /再响一次/)
  expect(await liveTracks(phone.page)).toBe(0)
  guard.assertClean()
})

it('no more: the place is given back, both sides are free', async () => {
  await rung()
  await phone.click('ring-no-more')
  await phone.see('ended-view', '不再给您打了')
  await seatIs(desk, 'ready')
  await checkAccessibility(phone.page)
  await phone.page.reload()
  await phone.see('call')
  guard.assertClean()
})

it('behind another page: a notification tells of the ring and goes with it', async () => {
  await phone.context.grantPermissions(['notifications'])
  await phone.page.addInitScript(() => Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' }))
  const shown = () =>
    phone.page.evaluate(async () => {
      const worker = await navigator.serviceWorker.getRegistration('/phone/')
      return ((await worker?.getNotifications()) ?? []).map((one) => one.title)
    })
  await rung()
  await expect.poll(shown, { timeout: WAIT_MS }).toEqual(['回电来了'])
  await phone.click('ring-decline')
  await phone.see('notify-on')
  await expect.poll(shown, { timeout: WAIT_MS }).toEqual([])
  guard.assertClean()
})

it('asked for at a booth: the number goes to the phone, the phone asks once, the booth is empty again', async () => {
  const booth = await openWindow(browser, server, 'booth', guard)
  await openBooth(booth, server)
  await booth.click('call')
  await booth.click('item-unsure')
  await booth.click('call-now')
  await booth.see('wait-offers', '现在没有人在岗')
  const number = await booth.at('ticket-number').innerText()
  await booth.click('call-back')
  await booth.see('carry-back', '请回电')
  await checkAccessibility(booth.page)
  await booth.shot('96-booth-call-back')
  const address = await booth.at('carry-qr').getAttribute('data-url')
  await phone.page.goto(address ?? '')
  await phone.click('call-back-yes')
  await phone.see('call-back-view', number)
  await booth.see('idle')
  await booth.gone('ticket-number')
  await sitDown(desk, 'agent1')
  await desk.see('ring-card', number)
  await desk.click('accept')
  await phone.see('ring-screen', number)
  await booth.context.close()
  guard.assertClean()
})
