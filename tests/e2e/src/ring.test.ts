/** Nobody is left waiting for a person who is not there: an unanswered ring, a closed page, a second tab. */
import { Guard, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { call } from './calls.ts'
import { type Running, startServer } from './server.ts'
import { queueByPhone } from './talk.ts'
import { type Window, openBooth, openWindow, seatIs, signIn, takeSeat, wrap } from './windows.ts'

let server: Running
let browser: Browser
let booth: Window
let desk: Window
const guard = new Guard()
beforeAll(async () => {
  server = await startServer()
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})
beforeEach(async () => {
  booth = await openWindow(browser, server, 'booth', guard)
  desk = await openWindow(browser, server, 'console', guard)
})
afterEach(async () => {
  await booth.context.close()
  await desk.context.close()
})

const RING_MS = 30_000

interface Seat {
  staff: string | null
  state: string
  away_reason: string | null
}
/** The seats that somebody holds, in the server's words. */
async function seats(): Promise<string[]> {
  const answer = await call(server, 'supervisor', '/seats')
  return (answer.body.items as Seat[]).filter((seat) => seat.state !== 'offline').map((seat) => `${seat.state} ${seat.away_reason ?? ''}`.trim())
}

async function ring(): Promise<void> {
  await openBooth(booth, server)
  await takeSeat(desk, 'agent1')
  await booth.click('call')
  await booth.click('item-unsure')
  await booth.click('call-now')
  await desk.see('ring-card')
  await booth.see('wait-offered')
}

it('an unanswered ring: the citizen is at the head again, the seat is away', async () => {
  await ring()
  const number = await booth.at('ticket-number').innerText()
  // Whoever came later stays behind.
  const later = await openWindow(browser, server, 'phone', guard)
  await queueByPhone(later)
  await later.see('ticket-number', /\d{3}/)
  await desk.page.locator('[data-testid="workspace"][data-seat-state="away"]').waitFor({ timeout: RING_MS + 10_000 })
  await desk.see('missed')
  await desk.shot('70-desk-missed')
  await booth.see('wait-waiting')
  expect(await booth.at('ticket-number').innerText()).toBe(number)
  await expect.poll(seats).toEqual(['away no_answer'])
  // Back at the seat, the same citizen rings again.
  await desk.click('ready')
  await desk.see('ring-card', number)
  await booth.click('cancel')
  await booth.click('cancel-yes')
  // Now it is the later one's turn.
  await desk.see('ring-card', await later.at('ticket-number').innerText())
  await later.click('cancel-ticket')
  await later.click('cancel-confirm')
  await desk.gone('ring-card')
  await seatIs(desk, 'ready')
  await later.context.close()
  guard.assertClean()
})

it('the console is closed while it rings: the seat is away at once, the citizen waits on', async () => {
  await ring()
  await desk.page.close()
  await booth.see('wait-waiting')
  await expect.poll(seats, { timeout: RING_MS }).toEqual(['away page_closed'])
  guard.assertClean()
})

it('a second tab is told where the seat is open, and takes it over', async () => {
  await takeSeat(desk, 'agent1')
  const second = wrap(desk.context, await desk.context.newPage())
  await signIn(second, '/console/', 'agent1')
  await second.see('seat-choice')
  await second.click('ring-test')
  await expect.poll(() => second.at('seat-start').isEnabled()).toBe(true)
  guard.allow(/409 \(Conflict\).*\/seats\//)
  await second.click('seat-start')
  await second.click('take-over')
  await seatIs(second, 'ready')
  await desk.see('desk-superseded')
  await desk.shot('71-desk-superseded')
  guard.assertClean()
})
