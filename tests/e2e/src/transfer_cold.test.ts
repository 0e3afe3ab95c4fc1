/** Cold transfer: the citizen waits on hold at the head of another line, in the same session, and is never lost. That it comes back
 * when nobody answers for two minutes is the server tests' business: no journey waits that long. */
import { Guard, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { askFor, deskHasRecipient, fillRecipient, openHelp, paperHasRecipient, seatIn, sessionOf, talkByPhone } from './talk.ts'
import { openWindow, say, seatIs, seesMoving, takeSeat } from './windows.ts'

const RECIPIENT = '沅江市第五小学'

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

it('to a queue, then to a seat that lets it go once: each accepts the same session', async () => {
  const phone = await openWindow(browser, server, 'phone', guard)
  const first = await openWindow(browser, server, 'console', guard)
  await takeSeat(first, 'agent1')
  await talkByPhone(phone, first)
  await fillRecipient(first, RECIPIENT)
  const session = await sessionOf(first)
  await first.click('panel-4')
  await say(first, 'chat', '医保窗口的同事接着办')

  // To a line that a colleague serves.
  const second = await openWindow(browser, server, 'console', guard)
  await takeSeat(second, 'agent3')
  await openHelp(first, 'transfer')
  await first.at('way-cold').check()
  await askFor(first, 'queue:medical')
  await seatIs(first, 'wrap_up')
  await phone.see('on-hold')
  await phone.see('talk-view')
  await phone.shot('84-phone-hold')
  await second.see('ring-card')
  await second.click('accept')
  await seatIs(second, 'busy')
  expect(await sessionOf(second)).toBe(session)
  await phone.gone('on-hold')
  await deskHasRecipient(second, RECIPIENT)
  await second.click('panel-4')
  await second.see('chat', '医保窗口的同事接着办')
  await paperHasRecipient(phone, RECIPIENT)
  await seesMoving(second.at('citizen-video'))

  // To a seat: it declines, the citizen waits on; ready again, it rings again.
  const third = await openWindow(browser, server, 'console', guard)
  await takeSeat(third, 'agent2')
  const seat = await seatIn(server, 'ready')
  await openHelp(second, 'transfer')
  await second.at('way-cold').check()
  await askFor(second, `seat:${seat}`)
  await third.see('ring-card')
  await third.click('decline')
  await seatIs(third, 'away')
  await phone.see('on-hold')
  await third.click('ready')
  await third.see('ring-card')
  await third.click('accept')
  await seatIs(third, 'busy')
  expect(await sessionOf(third)).toBe(session)
  await phone.gone('on-hold')
  await seesMoving(phone.at('agent-video'))
  await deskHasRecipient(third, RECIPIENT)
  guard.assertClean()
})
