/** Within the grace nothing is lost: a citizen who closes the page comes back to the same talk and the same form. */
import { Guard, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { deskHasRecipient, fillRecipient, paperHasRecipient, sessionOf, talkByPhone } from './talk.ts'
import { openWindow, say, seatIs, takeSeat, wrap } from './windows.ts'

const RECIPIENT = '沅江市第三小学'

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

it('a phone page that is closed and opened again is in the same session, with the form as it was', async () => {
  const desk = await openWindow(browser, server, 'console', guard)
  const phone = await openWindow(browser, server, 'phone', guard)
  await takeSeat(desk, 'agent1')
  await talkByPhone(phone, desk)
  await fillRecipient(desk, RECIPIENT)
  await paperHasRecipient(phone, RECIPIENT)
  const session = await sessionOf(desk)

  await phone.page.close()
  await desk.see('citizen-gone', /\d+/)
  await seatIs(desk, 'busy')
  // What is written meanwhile waits for them.
  await desk.click('panel-4')
  await say(desk, 'chat', '您回来了我们接着填')

  const again = wrap(phone.context, await phone.context.newPage())
  await again.page.goto('/phone/')
  await again.see('talk-view')
  await desk.gone('citizen-gone')
  expect(await sessionOf(desk)).toBe(session)
  await paperHasRecipient(again, RECIPIENT)
  await deskHasRecipient(desk, RECIPIENT)
  await again.click('chat')
  await again.see('talk-view', '您回来了我们接着填')
  guard.assertClean()
})
