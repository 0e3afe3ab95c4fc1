/** The camera over the papers is a picture: it closes with the picture, and with the call. Chromium's fake devices: three cameras, the
 * operator chose the third. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { ITEM } from './talk.ts'
import { type Window, WAIT_MS, liveTracks, openWindow, seesMoving, swipe, takeSeat } from './windows.ts'

const CAMERA_MIC = 2

let server: Running
let browser: Browser
const guard = new Guard()
beforeAll(async () => {
  server = await startServer()
  browser = await launch({ args: ['--use-fake-device-for-media-stream=device-count=3'] })
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

async function open(window: Window, tracks: number): Promise<void> {
  await expect.poll(() => liveTracks(window.page), { timeout: WAIT_MS, message: 'devices that are open' }).toBe(tracks)
}
/** The own step on the ladder. */
async function step(booth: Window, mode: string): Promise<void> {
  await booth.click('more')
  await booth.click(`mode-${mode}`)
}
async function showPapers(booth: Window, desk: Window): Promise<void> {
  await booth.click('paper')
  await seesMoving(desk.at('shown-document'))
  await open(booth, CAMERA_MIC + 1)
}

/** A booth with papers in a call with the agent. */
async function talk(account: string): Promise<{ booth: Window; desk: Window; loseCodec: () => void }> {
  const booth = await openWindow(browser, server, 'booth', guard)
  const desk = await openWindow(browser, server, 'console', guard)
  const loseCodec = await codecOf(booth)
  await booth.page.goto(`/booth/?bridge=${encodeURIComponent(server.bridge)}&document=fake_device_2`)
  await booth.see('idle')
  await booth.gone('starting')
  await takeSeat(desk, account)
  await swipe(server, 'liu-yang')
  await booth.click(`item-${ITEM}`)
  await booth.click('call-now')
  await desk.see('ring-card')
  await desk.page.keyboard.press('F2')
  await booth.see('session-active')
  return { booth, desk, loseCodec }
}

/** Stands between page and server: once what it gives is called, the room has no codec for this page's pictures. */
async function codecOf(booth: Window): Promise<() => void> {
  const refusal = { type: 'about:blank', title: '编码不同', status: 422, code: 'codec_unsupported', errors: [{ pointer: '/sdp', code: 'codec_needs_h264', detail: '对方只能用H.264。' }] }
  let isLost = false
  let renegotiate = (): void => undefined
  await booth.page.routeWebSocket(/\/ws$/, (page) => {
    const server = page.connectToServer()
    page.onMessage((text) => {
      const { id, command } = JSON.parse(String(text)) as { id?: string; command?: { kind: string; session?: string; sdp?: string } }
      if (command?.session) renegotiate = () => page.send(JSON.stringify({ type: 'renegotiate', session: command.session }))
      if (isLost && command?.kind === 'media_offer' && command.sdp?.includes('m=video')) page.send(JSON.stringify({ type: 'reply', id, problem: refusal }))
      else server.send(text)
    })
  })
  return () => {
    isLost = true
    renegotiate()
  }
}

it('the camera over the papers closes with the picture, whoever ends it, and with the call', async () => {
  const { booth, desk } = await talk('agent2')

  // The citizen goes on by voice: neither face nor papers are filmed.
  await showPapers(booth, desk)
  await step(booth, 'audio')
  await open(booth, 1)
  await desk.gone('shown-document')
  await booth.gone('paper')
  await booth.shot('97-booth-voice')
  await step(booth, 'video')
  await open(booth, CAMERA_MIC)
  await seesMoving(desk.at('citizen-video'))

  // The agent takes the step. What is left is the microphone, muted.
  await showPapers(booth, desk)
  await desk.click('ladder')
  await desk.click('mode-text')
  await booth.see('stage-text')
  await open(booth, 1)
  await step(booth, 'video')
  await open(booth, CAMERA_MIC)

  // The call ends while they lie there: all is off before anybody leaves the last screen.
  await showPapers(booth, desk)
  await booth.click('end')
  await booth.click('hang-up')
  await booth.see('end-plain')
  await open(booth, 0)
  await Promise.all([booth.context.close(), desk.context.close()])
  guard.assertClean()
})

it('where pictures stop in the middle of a call, the papers are closed, and the button says that nobody would see them', async () => {
  const { booth, desk, loseCodec } = await talk('agent1')
  await showPapers(booth, desk)
  loseCodec()
  await booth.see('voice-only', '对方只能用H.264')
  await booth.gone('own-paper')
  await open(booth, CAMERA_MIC)
  await booth.see('paper', '对方看不到')
  await booth.shot('98-booth-voice-only')
  await checkAccessibility(booth.page)
  guard.assertClean()
})
