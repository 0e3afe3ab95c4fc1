/** More than two: a colleague joins, then a family member by link, who sees and writes but has no form. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { askFor, fillRecipient, openHelp, paperHasRecipient, received, receives, seatIn, talkByPhone } from './talk.ts'
import { eventually, openWindow, say, seatIs, seesMoving, takeSeat } from './windows.ts'

const RECIPIENT = '沅江市第六小学'
const GUEST = '王阿姨'

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

it('a colleague and a guest join; the guest has picture and dialogue alone and may go', async () => {
  const phone = await openWindow(browser, server, 'phone', guard)
  const desk = await openWindow(browser, server, 'console', guard)
  await takeSeat(desk, 'agent1')
  await talkByPhone(phone, desk)
  await fillRecipient(desk, RECIPIENT)
  await paperHasRecipient(phone, RECIPIENT)

  const colleague = await openWindow(browser, server, 'console', guard)
  await takeSeat(colleague, 'agent2')
  const seat = await seatIn(server, 'ready')
  await openHelp(desk, 'join')
  await askFor(desk, `seat:${seat}`)
  await colleague.see('invite-card')
  await colleague.click('invite-accept')
  await seatIs(colleague, 'busy')
  await seesMoving(colleague.at('citizen-video'))
  await eventually(() => phone.page.locator('body').innerText(), '赵磊')
  await desk.see('members', '赵磊')

  await openHelp(desk, 'guest')
  await desk.click('help-link')
  const link = /https?:\S+#g=\S+/.exec(await (await desk.see('guest-link', '#g=')).innerText())?.[0] ?? ''
  await desk.shot('88-desk-guest-link')
  await desk.page.keyboard.press('Escape')
  const guest = await openWindow(browser, server, 'phone', guard)
  await guest.page.goto(link)
  await guest.see('guest-page')
  expect(guest.page.url()).not.toContain('#g=')
  await checkAccessibility(guest.page)
  await guest.at('field-name').fill(GUEST)
  await guest.click('guest-join')
  await guest.see('talk-view')
  await receives(guest.page, await received(guest.page), 5)
  await eventually(() => phone.page.locator('body').innerText(), GUEST)
  await desk.see('members', GUEST)

  await guest.click('chat')
  await say(guest, 'talk-view', '我是她妈妈')
  await desk.click('panel-4')
  await desk.see('chat', '我是她妈妈')
  await say(desk, 'chat', '阿姨您好')
  await guest.see('talk-view', '阿姨您好')
  // The paper is the citizen's.
  await guest.click('chat')
  for (const id of ['form', 'show-form']) expect(await guest.at(id).count(), id).toBe(0)
  expect(await guest.page.locator('body').innerText()).not.toContain(RECIPIENT)
  await guest.shot('89-phone-guest')

  await guest.click('hang-up')
  await guest.click('leave-now')
  await guest.see('ended-view')
  await phone.see('talk-view')
  await seatIs(desk, 'busy')
  await seesMoving(desk.at('citizen-video'))
  guard.assertClean()
})
