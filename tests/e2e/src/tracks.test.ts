/** Several pictures of one member: papers under the booth's second camera, the agent's shared screen. Chromium's fake devices: cameras, of
 * which the second has a depth picture that no call carries, so the operator chose the third; and a screen where the page asks for one. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { ITEM, sessionOf, talkByPhone } from './talk.ts'
import { type Watched, type Window, WAIT_MS, hears, openWindow, seatIs, seesMoving, signIn, swipe, takeSeat } from './windows.ts'

let server: Running
let browser: Browser
// Whoever comes to the wallboard without a sign-in is asked for one.
const guard = new Guard({ allow: [/401 .*\/auth\/refresh/] })
beforeAll(async () => {
  server = await startServer()
  browser = await launch({ args: ['--use-fake-device-for-media-stream=device-count=3', '--auto-select-desktop-capture-source=Entire screen'] })
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** How many connections the page has made, and how many are up. */
async function connections(window: Window): Promise<number[]> {
  return window.page.evaluate(() => {
    const all = (window as unknown as Watched).__peers
    return [all.length, all.filter((one) => one.connectionState === 'connected').length]
  })
}

/** How many screens the page captures now. */
async function screens(window: Window): Promise<number> {
  return window.page.evaluate(() => (window as unknown as Watched).__screens.filter((one) => one.readyState === 'live').length)
}

/** What the page sends and receives now, as payload names: `video/VP8`. */
async function codecs(window: Window, type: 'inbound-rtp' | 'outbound-rtp'): Promise<string[]> {
  return window.page.evaluate(async (wanted) => {
    const peer = (window as unknown as Watched).__peers.filter((one) => one.connectionState === 'connected').at(-1)
    const all = [...((await peer?.getStats()) ?? new Map()).values()] as Record<string, unknown>[]
    const found = all.filter((one) => one.type === wanted && one.kind === 'video' && Number(one.packetsSent ?? one.packetsReceived) > 0)
    return found.map((one) => String(all.find((codec) => codec.id === one.codecId)?.mimeType))
  }, type)
}

it('papers under the second camera reach the agent beside the face, on the same connection, and are put away again', async () => {
  const booth = await openWindow(browser, server, 'booth', guard)
  const desk = await openWindow(browser, server, 'console', guard)
  await booth.page.goto(`/booth/?bridge=${encodeURIComponent(server.bridge)}&document=fake_device_2`)
  await booth.see('idle')
  await booth.gone('starting')
  await takeSeat(desk, 'agent2')
  await swipe(server, 'liu-yang')
  await booth.click(`item-${ITEM}`)
  await booth.click('call-now')
  await desk.see('ring-card')
  await desk.page.keyboard.press('F2')
  await booth.see('session-active')
  await Promise.all([seesMoving(desk.at('citizen-video')), seesMoving(booth.at('agent-video'))])
  const before = await connections(booth)

  await booth.click('paper')
  await booth.see('own-paper')
  await seesMoving(desk.at('shown-document'))
  await seesMoving(desk.at('citizen-video').locator('.face'))
  await hears(desk.at('citizen-video').locator('.face'))
  expect(await connections(booth)).toEqual(before)
  await desk.shot('91-desk-document')
  // The papers are kept as they lie there, beside the face.
  await desk.click('snapshot-papers')
  await desk.click('snapshot')
  await desk.click('panel-3')
  const pictures = desk.page.locator('[data-testid^="snapshot-"] img')
  await expect.poll(() => pictures.count(), { timeout: WAIT_MS }).toBe(2)
  await pictures.first().click()
  await desk.see('snapshot-large')
  await expect.poll(() => desk.at('snapshot-large').locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(200)
  await desk.shot('91-desk-snapshot-large')
  await desk.page.keyboard.press('Escape')
  await desk.gone('snapshot-large')
  await booth.shot('92-booth-document')
  await checkAccessibility(desk.page)
  await checkAccessibility(booth.page)

  // Who listens sees them too.
  const wall = await openWindow(browser, server, 'console', guard)
  await signIn(wall, '/wall/#live', 'supervisor')
  await wall.click(`supervise-listen-${await sessionOf(desk)}`)
  await seesMoving(wall.at('shown-document'))
  await wall.shot('93-wall-document')
  await wall.click('sup-leave')
  await wall.see('sup-over')
  await wall.context.close()

  // Large over the page, with the keyboard out again; the face and the papers change places.
  await desk.click('enlarge-shown')
  await seesMoving(desk.at('large-shown'))
  await desk.shot('93-desk-document-large')
  await desk.page.keyboard.press('Escape')
  await desk.gone('large-shown')
  await desk.click('swap-shown')
  await seesMoving(desk.at('shown-document'))

  await booth.click('paper')
  await booth.gone('own-paper')
  await desk.gone('shown-document')
  await seesMoving(desk.at('citizen-video'))
  expect(await connections(booth)).toEqual(before)

  // The other way: the agent's screen on the booth, with a sign at the desk that cannot be overlooked.
  await desk.click('share-screen')
  await desk.see('sharing-screen')
  await seesMoving(booth.at('shown-screen'))
  await booth.shot('94-booth-screen')
  await desk.shot('95-desk-sharing')
  await desk.click('stop-screen')
  await desk.gone('sharing-screen')
  await booth.gone('shown-screen')
  await seesMoving(booth.at('agent-video'))
  await booth.context.close()
  await desk.context.close()
  guard.assertClean()
})

it('the phone shows the screen that the agent shares', async () => {
  const phone = await openWindow(browser, server, 'phone', guard)
  const desk = await openWindow(browser, server, 'console', guard)
  await takeSeat(desk, 'agent1')
  await talkByPhone(phone, desk)
  await seesMoving(phone.at('agent-video'))
  await desk.click('share-screen')
  await seesMoving(phone.at('shown-screen'))
  await phone.shot('96-phone-screen')
  await checkAccessibility(phone.page)
  // VP8 is every browser's: a room of two of them has it.
  expect(new Set(await codecs(phone, 'inbound-rtp'))).toEqual(new Set(['video/VP8']))
  await desk.click('share-screen')
  await phone.gone('shown-screen')

  // Nobody sees it any more: nothing of the screen is captured on. In writing first.
  await desk.click('share-screen')
  await seesMoving(phone.at('shown-screen'))
  expect(await screens(desk)).toBe(1)
  await desk.click('ladder')
  await desk.click('mode-text')
  await expect.poll(() => screens(desk), { timeout: WAIT_MS }).toBe(0)
  await desk.see('text-bar')
  await phone.gone('shown-screen')
  await desk.shot('97-desk-text-after-sharing')
  await desk.click('ladder')
  await desk.click('mode-video')
  await phone.click('mode-agree')
  await Promise.all([seesMoving(desk.at('citizen-video')), seesMoving(phone.at('agent-video'))])
  // By voice: it cannot be shared, and the page says why.
  await desk.gone('sharing-screen')
  await desk.click('share-screen')
  await desk.see('sharing-screen')
  await desk.click('ladder')
  await desk.click('mode-audio')
  await expect.poll(() => screens(desk), { timeout: WAIT_MS }).toBe(0)
  await desk.gone('sharing-screen')
  await desk.see('share-lock', '现在没有画面')
  expect(await desk.at('share-screen').isDisabled()).toBe(true)
  await desk.shot('98-desk-audio-share-lock')
  await checkAccessibility(desk.page)
  await desk.click('ladder')
  await desk.click('mode-video')
  await phone.click('mode-agree')
  await seesMoving(phone.at('agent-video'))
  // And at the end of the session.
  await desk.click('share-screen')
  await desk.see('sharing-screen')
  await expect.poll(() => screens(desk), { timeout: WAIT_MS }).toBe(1)
  await desk.click('end')
  await desk.click('end-now')
  await seatIs(desk, 'wrap_up')
  await expect.poll(() => screens(desk), { timeout: WAIT_MS }).toBe(0)
  guard.assertClean()
}, 4 * WAIT_MS)
