/** Appointment: booked on the phone, checked in by its code, and served before whoever came without one. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, hallOf, put } from './calls.ts'
import { type Running, startServer } from './server.ts'
import { openBooth, openWindow, seatIs, sitDown } from './windows.ts'

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

it('a code from one phone checks in on another and goes before a normal ticket', async () => {
  // Slots around the clock, so that one may be checked in at whatever time this runs.
  const rules = `/halls/${await hallOf(server, 'supervisor')}/slot-rules`
  const now = (await call(server, 'supervisor', rules)).body.items as { queue: string; version: number }[]
  const version = now.find((one) => one.queue === 'general')?.version ?? 0
  const changed = await put(server, 'supervisor', `${rules}/general`, { hours: [{ days: 'all', from: '00:00', to: '23:50' }], slot_minutes: 10, capacity: 2, version })
  expect(changed.status).toBe(200)
  const phone = await openWindow(browser, server, 'phone', guard)
  await phone.page.goto('/phone/')
  await phone.click('offer-book')
  await phone.see('slot-picker')
  await checkAccessibility(phone.page)
  await phone.page.locator('input[data-testid^="slot-"]:enabled').first().check({ force: true })
  await phone.shot('95-phone-book')
  await phone.click('book-next')
  await phone.see('book-when')
  await phone.click('book-confirm')
  await phone.see('appointment-booked')
  await phone.see('appointment-code', /^[0-9A-Z]{4} ?[0-9A-Z]{4}$/)
  await phone.shot('96-phone-booked')
  await checkAccessibility(phone.page)
  const code = (await phone.at('appointment-qr').getAttribute('data-url')) ?? ''

  // Somebody without an appointment is there first.
  const booth = await openWindow(browser, server, 'booth', guard)
  await openBooth(booth, server)
  await booth.click('call')
  await booth.click('item-unsure')
  await booth.click('call-now')
  await booth.see('wait-waiting')

  const other = await openWindow(browser, server, 'phone', guard)
  await other.page.goto(code)
  await other.see('appointment-booked')
  expect(other.page.url()).not.toContain('#a=')
  await other.click('check-in')
  await other.click('check-start')
  await other.click('queue')
  await other.see('wait-view')
  const number = await other.at('ticket-number').innerText()

  const desk = await openWindow(browser, server, 'console', guard)
  await sitDown(desk, 'agent1')
  await desk.see('ring-card', number)
  await desk.see('ring-card', '预约')
  await desk.click('accept')
  await seatIs(desk, 'busy')
  await other.see('talk-view')
  expect(await booth.at('wait-waiting').count()).toBe(1)
  guard.assertClean()
})
