/** Consult: a private word with a colleague while the citizen is on hold. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { askFor, openHelp, received, receives, receivesNothing, seatIn, talkByPhone } from './talk.ts'
import { eventually, openWindow, seatIs, seesMoving, takeSeat } from './windows.ts'

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

it('on hold the citizen hears and sees nothing, and is back afterwards', async () => {
  const phone = await openWindow(browser, server, 'phone', guard)
  const desk = await openWindow(browser, server, 'console', guard)
  const colleague = await openWindow(browser, server, 'console', guard)
  await takeSeat(desk, 'agent1')
  await talkByPhone(phone, desk)
  await receives(phone.page, await received(phone.page), 5)
  await takeSeat(colleague, 'agent2')
  const seat = await seatIn(server, 'ready')
  await openHelp(desk, 'consult')
  await checkAccessibility(desk.page)
  await askFor(desk, `seat:${seat}`)
  await colleague.see('invite-card', '李敏')
  await colleague.click('invite-accept')
  await phone.see('on-hold')
  await phone.shot('85-phone-hold')
  await checkAccessibility(phone.page)
  // The two hear and see each other; to the citizen nothing comes.
  await receivesNothing(phone.page, colleague.page)
  await desk.shot('86-desk-consult')
  await colleague.shot('87-desk-consulted')
  await checkAccessibility(colleague.page)

  await desk.click('step-finish')
  await phone.gone('on-hold')
  await receives(phone.page, await received(phone.page), 5)
  await seesMoving(desk.at('citizen-video'))
  await desk.gone('invite-consult')
  await expect.poll(() => colleague.page.locator('[data-testid="workspace"]').getAttribute('data-seat-state')).toBe('ready')
  await eventually(() => phone.page.locator('body').innerText(), '李敏')
  await seatIs(desk, 'busy')
  guard.assertClean()
})
