/** Warm transfer: introduced, handed over, and everything of the citizen's goes along; whoever is not there is not waited for. */
import { Guard, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { talk } from './apply.ts'
import { type Running, startServer } from './server.ts'
import { askFor, deskHasRecipient, fillRecipient, openHelp, paperHasRecipient, seatIn, sessionOf, talkByPhone } from './talk.ts'
import { WAIT_MS, eventually, openWindow, say, seatIs, seesMoving, takeSeat } from './windows.ts'

const IDENTITY_CARD = '11100000000013338W011'
const RECIPIENT = '沅江市第四小学'
const RING_MS = 30_000

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

it('a colleague is introduced and takes over: form, dialogue and consent are there, the first agent writes up', async () => {
  const booth = await openWindow(browser, server, 'booth', guard)
  const first = await openWindow(browser, server, 'console', guard)
  const second = await openWindow(browser, server, 'console', guard)
  await talk(server, booth, first, 'liu-yang', 'agent1')
  await takeSeat(second, 'agent2')
  const session = await sessionOf(first)
  await fillRecipient(first, RECIPIENT)
  await first.click('panel-2')
  await first.click(`ask-consent-${IDENTITY_CARD}`)
  await booth.at('consent-sheet').getByRole('button', { name: '同意取用', exact: true }).click()
  await first.page.locator('[data-testid^="consent-"][data-outcome="filled"]').waitFor()
  await first.click('panel-4')
  await say(first, 'chat', '我请公安窗口的同事接着办')
  await booth.click('chat')
  await booth.see('chat-box', '我请公安窗口的同事接着办')
  await booth.click('chat')

  const seat = await seatIn(server, 'ready')
  await openHelp(first, 'transfer')
  await first.shot('80-desk-help')
  await askFor(first, `seat:${seat}`)
  await second.see('invite-card', '无犯罪记录证明')
  await second.shot('81-desk-invite')
  await second.click('invite-accept')
  // Staff talk apart, the citizen is told.
  await booth.see('on-hold')
  await booth.shot('82-booth-hold')
  await Promise.all([first.see('step-introduce'), seatIs(second, 'busy')])
  await first.click('step-introduce')
  await booth.gone('on-hold')
  await seesMoving(second.at('citizen-video'))
  await first.click('step-finish')

  await seatIs(first, 'wrap_up')
  await seatIs(second, 'busy')
  expect(await sessionOf(second)).toBe(session)
  await eventually(() => booth.page.locator('body').innerText(), '赵磊')
  await seesMoving(booth.at('agent-video'))
  await deskHasRecipient(second, RECIPIENT)
  await paperHasRecipient(booth, RECIPIENT)
  await second.click('panel-2')
  await second.page.locator('[data-testid^="consent-"][data-outcome="filled"]').waitFor()
  // What was written before they came is there without a reload.
  await second.click('panel-4')
  await second.see('chat', '我请公安窗口的同事接着办')
  await say(second, 'chat', '您好，我是赵磊，我接着办')
  await booth.click('chat')
  await booth.see('chat-box', '您好，我是赵磊，我接着办')
  await second.shot('83-desk-taken-over')

  await first.click('wrap-done')
  await seatIs(first, 'ready')
  guard.assertClean()
  await Promise.all([booth, first, second].map((window) => window.context.close()))
})

it('nobody answers: the citizen stays with the agent and notices nothing', async () => {
  const phone = await openWindow(browser, server, 'phone', guard)
  const first = await openWindow(browser, server, 'console', guard)
  const second = await openWindow(browser, server, 'console', guard)
  await takeSeat(first, 'agent3')
  await talkByPhone(phone, first)
  await takeSeat(second, 'agent4')
  const session = await sessionOf(first)
  const seat = await seatIn(server, 'ready')
  await openHelp(first, 'transfer')
  await askFor(first, `seat:${seat}`)
  await second.see('invite-card')
  await second.page.locator('[data-testid="workspace"][data-seat-state="away"]').waitFor({ timeout: RING_MS + 10_000 })
  await second.gone('invite-card')
  await first.gone('invite-transfer_warm')
  await seatIs(first, 'busy')
  expect(await sessionOf(first)).toBe(session)
  await phone.gone('on-hold')
  await seesMoving(phone.at('agent-video'))
  guard.assertClean()
  await Promise.all([phone, first, second].map((window) => window.context.close()))
}, 2 * WAIT_MS + RING_MS)
