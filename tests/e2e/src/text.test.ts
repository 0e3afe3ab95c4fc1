/** Two who write at once: one agent holds both, types in both, fills in a form with one, and is done with one while the other goes on. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, hallOf, put } from './calls.ts'
import { type Running, startServer } from './server.ts'
import { fillRecipient, paperHasRecipient } from './talk.ts'
import { type Window, WAIT_MS, chooseState, eventually, liveTracks, openWindow, say, seatIs, seesMoving, signIn } from './windows.ts'

const RECIPIENT = '沅江市第三中学'
const SLOTS = 2

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

/** Every queue of the hall lets one agent have two conversations. */
async function allowTwo(): Promise<void> {
  const hall = await hallOf(server, 'supervisor')
  const { body } = await call(server, 'supervisor', `/halls/${hall}/queues`)
  for (const queue of body.items as { code: string; version: number; rule: object }[]) {
    const answer = await put(server, 'supervisor', `/halls/${hall}/queues/${queue.code}`, { version: queue.version, rule: { ...queue.rule, text_slots: SLOTS } })
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  }
}

/** Asks in writing, at the hall where the agent sits: no camera, no microphone. */
async function ask(phone: Window): Promise<string> {
  const hall = await hallOf(server, 'agent1')
  await phone.context.addInitScript((id) => localStorage.setItem('cloud-booth.hall', JSON.stringify(id)), hall)
  await phone.page.goto('/phone/')
  await phone.click('call')
  await phone.at('pick-text').check({ force: true })
  await phone.click('queue')
  await phone.see('ticket-number')
  return (await phone.at('ticket-number').innerText()).trim()
}
/** In the dialogue, which may lie behind the paper. */
async function writes(phone: Window, text: string): Promise<void> {
  if (!(await phone.at('talk-view').locator('textarea').first().isVisible())) await phone.click('chat')
  await say(phone, 'talk-view', text)
}
async function lineIs(desk: Window, lane: number, state: string): Promise<void> {
  await expect.poll(() => desk.at(`line-${lane}`).getAttribute('data-state').catch(() => ''), { timeout: WAIT_MS, message: `lane ${lane}` }).toBe(state)
}
const shownLine = (desk: Window): Promise<string | null> => desk.page.locator('[data-line]').locator('visible=true').first().getAttribute('data-line')
const entry = (desk: Window) => desk.at('chat').locator('textarea').first()

it('two conversations side by side; one is finished with its outcome while the other goes on', async () => {
  await allowTwo()
  const desk = await openWindow(browser, server, 'console', guard)
  await signIn(desk, '/console/', 'agent1')
  await desk.see('seat-choice')
  await desk.at('take-text').check()
  await desk.click('ring-test')
  await expect.poll(() => desk.at('seat-start').isEnabled(), { timeout: WAIT_MS }).toBe(true)
  await desk.click('seat-start')
  await seatIs(desk, 'ready')
  await lineIs(desk, 1, 'ready')
  await lineIs(desk, 2, 'ready')
  await desk.shot('96-desk-lanes')

  const [first, second] = [await openWindow(browser, server, 'phone', guard), await openWindow(browser, server, 'phone', guard)]
  const one = await ask(first)
  await desk.see('ring-card')
  await expect.poll(() => desk.page.title()).toContain(one)
  // The seat's own line serves nobody while somebody writes.
  await seatIs(desk, 'busy')
  await desk.page.keyboard.press('F2')
  await first.see('talk-view')
  await desk.see('text-bar')
  expect(await desk.page.locator('[data-testid="citizen-video"]').count()).toBe(0)
  expect(await liveTracks(first.page)).toBe(0)
  await writes(first, '我想打字问一下')
  await desk.see('chat', '我想打字问一下')
  await fillRecipient(desk, RECIPIENT)

  // The second rings: it takes neither the screen nor the keys from who types.
  const lane = await shownLine(desk)
  await entry(desk).pressSequentially('请您核对')
  const two = await ask(second)
  await desk.see('ring-card', two)
  await desk.page.keyboard.type('收件单位')
  await expect.poll(() => entry(desk).inputValue()).toBe('请您核对收件单位')
  expect(await shownLine(desk)).toBe(lane)
  await desk.shot('97-desk-ring-beside')
  await desk.page.keyboard.press('F2')
  await second.see('talk-view')
  await expect.poll(() => shownLine(desk)).not.toBe(lane)
  const other = await shownLine(desk)
  expect([lane, other].sort()).toEqual(['1', '2'])
  await say(desk, 'chat', '您好，请说')
  await second.see('talk-view', '您好，请说')

  // What the first writes is counted, told how long it waits, and read by a key; what was half written is still there.
  await writes(first, '在吗')
  await expect.poll(() => desk.at(`line-${lane}`).getAttribute('data-unread'), { timeout: WAIT_MS }).toBe('1')
  await desk.see(`line-waits-${lane}`)
  await checkAccessibility(desk.page)
  await desk.shot('98-desk-two-texts')
  await desk.page.keyboard.press(`Control+Shift+Digit${Number(lane) + 1}`)
  await desk.see('chat', '在吗')
  await expect.poll(() => desk.at(`line-${lane}`).getAttribute('data-unread')).toBe('0')
  await expect.poll(() => entry(desk).inputValue()).toBe('请您核对收件单位')
  await entry(desk).press('Enter')
  await eventually(() => first.page.locator('[data-testid="talk-view"]').innerText(), '请您核对收件单位')
  await paperHasRecipient(first, RECIPIENT)

  // The second is done: its outcome is kept, the first goes on.
  await desk.click(`choose-line-${other}`)
  await desk.click('end')
  await desk.click('end-now')
  await lineIs(desk, Number(other), 'wrap_up')
  await second.gone('talk-view')
  await desk.click('disposition-answered')
  await desk.click('wrap-done')
  await lineIs(desk, Number(other), 'ready')
  // What is left comes up by itself: nobody is typing now.
  await expect.poll(() => shownLine(desk)).toBe(lane)
  await seatIs(desk, 'busy')
  await writes(first, '都对')
  await desk.see('chat', '都对')
  await eventually(() => desk.at('form-title').innerText(), /.+/)
  await desk.shot('99-desk-one-goes-on')

  // Leaving waits for who writes; and a page that is loaded again is where it was.
  await chooseState(desk, 'go-away-break')
  await desk.see('leaving')
  await seatIs(desk, 'busy')
  await desk.page.reload()
  await desk.see('leaving')
  await desk.see('chat', '都对')
  await desk.at('leaving').getByRole('button').click()
  await desk.gone('leaving')
  await lineIs(desk, Number(other), 'ready')

  // Up the ladder is the citizen's to give, as ever.
  await desk.click('ladder')
  await desk.click('mode-video')
  await first.see('mode-asked')
  await first.click('mode-agree')
  await Promise.all([seesMoving(desk.at('citizen-video')), seesMoving(first.at('agent-video'))])

  await desk.click('end')
  await desk.click('end-now')
  await desk.click('disposition-answered')
  await desk.click('wrap-done')
  await seatIs(desk, 'ready')
  guard.assertClean()
})
