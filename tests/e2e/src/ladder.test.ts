/** The ladder: down to typing and up again within one session, the form untouched. */
import { Guard, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { deskHasRecipient, fillRecipient, paperHasRecipient, sessionOf, talkByPhone } from './talk.ts'
import { type Window, WAIT_MS, liveTracks, openWindow, say, seesMoving, takeSeat } from './windows.ts'

const RECIPIENT = '沅江市第七小学'

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

/** How the call runs, and what the citizen is asked for, as the agent sees it. */
async function modeIs(desk: Window, mode: string, asked: string | null = null): Promise<void> {
  const button = desk.at('ladder')
  await expect.poll(async () => [await button.getAttribute('data-mode'), await button.getAttribute('data-asked')], { timeout: WAIT_MS }).toEqual([mode, asked])
}
async function agentWants(desk: Window, mode: string): Promise<void> {
  await desk.click('ladder')
  await desk.click(`mode-${mode}`)
}
async function citizenWants(phone: Window, mode: string): Promise<void> {
  await phone.click('more')
  await phone.click(`mode-${mode}`)
}

it('video, sound, typing, and video again when the citizen agrees', async () => {
  const phone = await openWindow(browser, server, 'phone', guard)
  const desk = await openWindow(browser, server, 'console', guard)
  await takeSeat(desk, 'agent1')
  await talkByPhone(phone, desk)
  await fillRecipient(desk, RECIPIENT)
  await paperHasRecipient(phone, RECIPIENT)
  const session = await sessionOf(desk)
  await seesMoving(desk.at('citizen-video'))
  await modeIs(desk, 'video')

  // The citizen's own step is done at once; so is a lower one of the agent.
  await citizenWants(phone, 'audio')
  await modeIs(desk, 'audio')
  await agentWants(desk, 'text')
  await modeIs(desk, 'text')
  await phone.shot('90-phone-text')
  await expect.poll(() => liveTracks(phone.page), { timeout: WAIT_MS }).toBe(0)
  await desk.click('panel-4')
  await say(desk, 'chat', '我们打字说')
  await phone.see('talk-view', /打字/)

  // Up again is theirs to give: refused first, then agreed.
  await agentWants(desk, 'video')
  await modeIs(desk, 'text', 'video')
  await phone.see('mode-asked')
  await phone.click('mode-refuse')
  await modeIs(desk, 'text')
  await agentWants(desk, 'video')
  await phone.click('mode-agree')
  await modeIs(desk, 'video')
  await Promise.all([seesMoving(desk.at('citizen-video')), seesMoving(phone.at('agent-video'))])

  expect(await sessionOf(desk)).toBe(session)
  await deskHasRecipient(desk, RECIPIENT)
  await paperHasRecipient(phone, RECIPIENT)
  guard.assertClean()
})
