/** 设备检测: all good, a camera that was refused, a network without UDP, at phone, booth and console. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Relay, startRelay } from './relay.ts'
import { type Running, startServer } from './server.ts'
import { type Watched, type Window, WAIT_MS, eventually, liveTracks, openBooth, openWindow, signIn } from './windows.ts'

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

  it('phone: another microphone, and one that does not open', async () => {
    const phone = await openWindow(browser, server, 'phone', guard)
    await phone.page.goto('/phone/device')
    await phone.click('device-start')
    expect(await verdict(phone)).toBe('video')
    const choice = phone.at('choose-microphone')
    const used = (): Promise<string> => phone.page.evaluate(() => (window as unknown as Watched).__tracks.filter((one) => one.kind === 'audio' && one.readyState === 'live').at(-1)?.getSettings().deviceId ?? '')
    await expect.poll(async () => (await choice.inputValue()) === (await used())).toBe(true)
    const others = (await choice.locator('option').evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value))).filter((one) => one !== 'default')
    const [next, broken] = [others[0] ?? '', others[1] ?? '']
    await choice.selectOption(next)
    await expect.poll(used).toBe(next)
    expect(await choice.inputValue()).toBe(next)
    await phone.page.evaluate(() => (navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotReadableError'))))
    await choice.selectOption(broken)
    await phone.see('refused-microphone', '还用原来的')
    expect(await choice.inputValue()).toBe(next)
    expect(await used()).toBe(next)
    await phone.shot('83-check-phone-microphone')
    await phone.context.close()
  })

  it('phone: a server that has no room to try the network keeps nobody', async () => {
    const full = new Guard({ allow: [/429/] })
    const phone = await openWindow(browser, server, 'phone', full)
    const refusal = { type: 'about:blank', title: '请慢一点', status: 429, code: 'slow_down' }
    await phone.page.route('**/api/v1/media/check', (route) => route.fulfill({ status: 429, contentType: 'application/problem+json', body: JSON.stringify(refusal) }))
    await phone.page.goto('/phone/device')
    await phone.click('device-start')
    expect(await verdict(phone)).toBe('video')
    await phone.see('device-verdict', '网络没有测，画面和声音可以')
    await phone.see('network-advice', '不影响通话')
    await phone.shot('83-check-phone-full')
    await checkAccessibility(phone.page)
    await phone.click('device-go')
    await phone.see('check-page')
    await expect.poll(() => liveTracks(phone.page)).toBe(0)
    full.assertClean()
    await phone.context.close()
  })

  it('phone, before the call: voice opens no camera, the network is tried when asked, the call takes the devices over', async () => {
    const phone = await openWindow(browser, server, 'phone', guard)
    await phone.page.goto('/phone/check')
    await phone.at('pick-audio').check({ force: true })
    await phone.click('check-start')
    await is(phone, 'part-microphone', 'ok')
    await phone.gone('part-camera')
    await expect.poll(() => liveTracks(phone.page)).toBe(1)
    await phone.at('pick-video').check({ force: true })
    await expect.poll(() => liveTracks(phone.page)).toBe(2)
    expect(await verdict(phone)).toBe('video')
    await is(phone, 'part-network', 'idle')
    await phone.shot('83-check-phone-call')
    await checkAccessibility(phone.page)
    await phone.click('network-again')
    await is(phone, 'part-network', 'done')
    await phone.at('pick-text').check({ force: true })
    await expect.poll(() => liveTracks(phone.page)).toBe(0)
    await phone.at('pick-video').check({ force: true })
    await phone.click('check-start')
    await is(phone, 'part-microphone', 'ok')
    await phone.click('queue')
    await phone.see('wait-view')
    expect(await liveTracks(phone.page)).toBe(2)
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
    // The choice itself shows picture and level: those stay open, what the check opened does not.
    await expect.poll(() => liveTracks(desk.page), { timeout: WAIT_MS }).toBe(2)
    await desk.click('go-device')
    await desk.click('device-start')
    expect(await verdict(desk)).toBe('video')
    expect(await liveTracks(desk.page)).toBe(4)
    await desk.shot('85-check-console')
    await checkAccessibility(desk.page)
    await desk.page.keyboard.press('Escape')
    await desk.gone('device-check')
    await expect.poll(() => liveTracks(desk.page)).toBe(2)
    expect(await openConnections(desk)).toBe(0)
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
