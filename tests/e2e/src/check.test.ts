/** 设备检测: all good, a camera that was refused, a network without UDP, at phone, booth and console. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Relay, startRelay } from './relay.ts'
import { type Running, startServer } from './server.ts'
import { type Window, WAIT_MS, eventually, liveTracks, openBooth, openWindow, signIn } from './windows.ts'

let browser: Browser
const guard = new Guard()
beforeAll(async () => {
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
})
afterEach(() => guard.assertClean())

async function state(window: Window, id: string): Promise<string> {
  return (await window.at(id).getAttribute('data-state')) ?? ''
}
async function is(window: Window, id: string, wanted: string): Promise<void> {
  await eventually(() => state(window, id), new RegExp(`^${wanted}$`), id)
}
async function verdict(window: Window): Promise<string> {
  await expect.poll(() => window.at('device-check').getAttribute('data-verdict'), { timeout: WAIT_MS }).not.toBe('')
  return (await window.at('device-check').getAttribute('data-verdict')) ?? ''
}
/** The check's own connections are closed when it is over. */
async function openConnections(window: Window): Promise<number> {
  return window.page.evaluate(() => (window as unknown as { __peers: RTCPeerConnection[] }).__peers.filter((one) => one.connectionState !== 'closed').length)
}

describe('a good network, with a relay', () => {
  let relay: Relay
  let server: Running
  beforeAll(async () => {
    relay = await startRelay()
    server = await startServer(relay.env)
  })
  afterAll(async () => {
    await server?.stop()
    await relay?.stop()
  })

  it('phone: from the first page, all good, and on to the call', async () => {
    const phone = await openWindow(browser, server, 'phone', guard)
    await phone.page.goto('/phone/')
    await phone.click('go-device')
    await phone.see('device-start')
    await phone.shot('80-check-phone-start')
    // The page took the focus; its first stop is the button.
    await expect.poll(() => phone.page.evaluate(() => document.activeElement?.id)).toBe('main')
    await phone.page.keyboard.press('Tab')
    await phone.page.keyboard.press('Enter')
    for (const way of ['socket', 'udp', 'tcp', 'relay']) await is(phone, `way-${way}`, 'ok')
    expect(await state(phone, 'part-camera')).toMatch(/^(ok|dark)$/)
    // The fake microphone beeps: that is a voice to the meter.
    await is(phone, 'part-microphone', 'ok')
    expect(await verdict(phone)).toBe('video')
    await eventually(() => phone.at('way-udp').innerText(), /来回\d+毫秒/)
    await eventually(() => phone.at('way-udp').innerText(), '好')
    expect(await openConnections(phone)).toBe(0)
    await phone.click('speaker-play')
    await phone.click('speaker-no')
    await phone.see('speaker-help')
    await phone.click('speaker-play')
    await phone.click('speaker-yes')
    await is(phone, 'part-speaker', 'ok')
    await phone.shot('81-check-phone-done')
    await checkAccessibility(phone.page)
    await phone.click('device-go')
    await phone.see('check-page')
    await expect.poll(() => liveTracks(phone.page)).toBe(0)
    // Remembered for the visit, over a reload too.
    await phone.page.goto('/phone/device')
    await phone.see('check-before', '可以视频')
    await phone.context.close()
  })

  it('phone: a camera that was refused has its advice, and the voice is left', async () => {
    const phone = await openWindow(browser, server, 'phone', guard)
    await phone.context.addInitScript(() => {
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
      navigator.mediaDevices.getUserMedia = (wanted) => (wanted?.video ? Promise.reject(new DOMException('', 'NotAllowedError')) : open(wanted))
    })
    await phone.page.goto('/phone/device')
    await phone.click('device-start')
    await is(phone, 'part-camera', 'none')
    await phone.see('device-advice', /允许/)
    expect(await phone.at('device-advice').getAttribute('data-problem')).toBe('denied')
    expect(await verdict(phone)).toBe('audio')
    await phone.shot('82-check-phone-refused')
    await checkAccessibility(phone.page)
    await phone.context.close()
  })

  it('phone, in English and large: nothing is cut', async () => {
    const phone = await openWindow(browser, server, 'phone', guard)
    await phone.page.goto('/phone/device')
    const [language, large] = [phone.page.locator('.controls .control').nth(0), phone.page.locator('.controls .control').nth(1)]
    await large.click()
    await language.click()
    await phone.click('device-start')
    expect(await verdict(phone)).toBe('video')
    await phone.see('device-verdict', 'video call')
    expect(await phone.page.evaluate(() => document.documentElement.hasAttribute('data-elder'))).toBe(true)
    expect(await phone.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0)
    await phone.shot('83-check-phone-large')
    await phone.context.close()
  })

  it('booth: from the idle screen, by the booth\'s own token, and back', async () => {
    const booth = await openWindow(browser, server, 'booth', guard)
    await openBooth(booth, server)
    await booth.click('go-device')
    await booth.click('device-start')
    expect(await verdict(booth)).toBe('video')
    await booth.shot('84-check-booth')
    await checkAccessibility(booth.page)
    await booth.click('back')
    await booth.see('idle')
    await expect.poll(() => liveTracks(booth.page)).toBe(0)
    await booth.context.close()
  })

  it('console: beside the choice of a seat', async () => {
    const desk = await openWindow(browser, server, 'console', guard)
    await signIn(desk, '/console/', 'agent1')
    await desk.see('seat-choice')
    await desk.click('go-device')
    await desk.click('device-start')
    expect(await verdict(desk)).toBe('video')
    await desk.shot('85-check-console')
    await checkAccessibility(desk.page)
    await desk.context.close()
  })
})

describe('a network without UDP', () => {
  let server: Running
  beforeAll(async () => {
    server = await startServer({ CLOUD_BOOTH_MEDIA__UDP: 'false' })
  })
  afterAll(async () => server?.stop())

  it('UDP is blocked, TCP carries the call, no relay is missed', async () => {
    const phone = await openWindow(browser, server, 'phone', guard)
    await phone.page.goto('/phone/device')
    await phone.click('device-start')
    await is(phone, 'way-tcp', 'ok')
    await is(phone, 'way-udp', 'failed')
    await is(phone, 'way-relay', 'none')
    expect(await verdict(phone)).toBe('video')
    await phone.see('network-advice', '备用通道')
    await phone.shot('86-check-no-udp')
    await phone.context.close()
  })
})
