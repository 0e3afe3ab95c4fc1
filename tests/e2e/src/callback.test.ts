/** Call-back: nobody on duty is said outright; the place is kept without a page, and the phone rings when it is their turn. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { chooseState, openWindow, seatIs, seesMoving, startSeat, takeSeat, wrap } from './windows.ts'

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

it('asked for, page closed and opened again, rung, answered', async () => {
  const desk = await openWindow(browser, server, 'console', guard)
  const phone = await openWindow(browser, server, 'phone', guard)
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
  await checkAccessibility(again.page)
  await again.shot('94-phone-rings')
  await again.click('ring-answer')
  await again.see('talk-view')
  await seatIs(desk, 'busy')
  await seesMoving(again.at('agent-video'))
  guard.assertClean()
})
