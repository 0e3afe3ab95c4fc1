/**
 * The people of a journey and what they look at: a booth, a seat, an office desk, a phone, each a window of its own with its
 * own storage. Owns the waiting (always for an event that can be seen, never for time) and the looks at pictures and sound.
 */
import { type Guard, VIEWPORTS, openPage } from '@cloud-booth/testkit'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { PASSWORD, type Running } from './server.ts'

/** Long enough for two busy cores, short enough to fail. */
export const WAIT_MS = 30_000

export interface Window {
  context: BrowserContext
  page: Page
  /** By `data-testid`, the visible one. */
  at(id: string): Locator
  /** Waits until it is there to be seen. */
  see(id: string, text?: string | RegExp): Promise<Locator>
  gone(id: string): Promise<void>
  click(id: string): Promise<void>
  shot(name: string): Promise<void>
}

type Surface = keyof typeof VIEWPORTS

/** What a test may look at inside a page: its sockets and calls, its camera and microphone. */
export interface Watched {
  __sockets: WebSocket[]
  __peers: RTCPeerConnection[]
  __tracks: MediaStreamTrack[]
  /** Screens that were captured. */
  __screens: MediaStreamTrack[]
  __files: Blob[]
}

function watchPage(): void {
  const watched = window as unknown as Watched
  watched.__sockets = []
  watched.__peers = []
  watched.__tracks = []
  watched.__screens = []
  watched.__files = []
  const address = URL.createObjectURL.bind(URL)
  URL.createObjectURL = (file) => {
    if (file instanceof Blob) watched.__files.push(file)
    return address(file)
  }
  const Native = window.WebSocket
  window.WebSocket = class extends Native {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols)
      watched.__sockets.push(this)
    }
  }
  const Peer = window.RTCPeerConnection
  if (Peer)
    window.RTCPeerConnection = class extends Peer {
      constructor(configuration?: RTCConfiguration) {
        super(configuration)
        watched.__peers.push(this)
      }
    }
  const devices = navigator.mediaDevices
  if (!devices) return
  const open = devices.getUserMedia.bind(devices)
  devices.getUserMedia = async (wanted) => {
    const stream = await open(wanted)
    watched.__tracks.push(...stream.getTracks())
    return stream
  }
  const share = devices.getDisplayMedia?.bind(devices)
  if (!share) return
  devices.getDisplayMedia = async (wanted) => {
    const stream = await share(wanted)
    watched.__screens.push(...stream.getTracks())
    return stream
  }
}

export async function openWindow(browser: Browser, server: Running, surface: Surface, guard: Guard): Promise<Window> {
  const { context, page } = await openPage(browser, { surface, base_url: server.url, guard })
  context.setDefaultTimeout(WAIT_MS)
  await context.addInitScript(watchPage)
  // A page with a call asks before it is left; the person says yes.
  page.on('dialog', (dialog) => void dialog.accept().catch(() => undefined))
  return wrap(context, page)
}

export function wrap(context: BrowserContext, page: Page): Window {
  const at = (id: string): Locator => page.locator(`[data-testid="${id}"]`).locator('visible=true').first()
  return {
    context,
    page,
    at,
    async see(id, text) {
      const found = at(id)
      await found.waitFor()
      if (text !== undefined) await eventually(() => found.innerText(), text, id)
      return found
    },
    async gone(id) {
      await page.locator(`[data-testid="${id}"]`).locator('visible=true').first().waitFor({ state: 'hidden' })
    },
    async click(id) {
      await at(id).click()
    },
    async shot(name) {
      const folder = process.env.E2E_SHOTS
      if (!folder) return
      mkdirSync(folder, { recursive: true })
      await page.screenshot({ path: join(folder, `${name}.png`) })
    },
  }
}

/** Waits until the text fits. */
export async function eventually(read: () => Promise<string>, wanted: string | RegExp, what = ''): Promise<void> {
  const pattern = typeof wanted === 'string' ? new RegExp(wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : wanted
  await expect.poll(() => read().catch(() => ''), { timeout: WAIT_MS, interval: 100, message: what }).toMatch(pattern)
}

// The call.

/** Three pictures that came after now: the picture moves. */
export async function seesMoving(tile: Locator): Promise<void> {
  const video = tile.locator('video').first()
  await video.waitFor({ state: 'attached' })
  const seen = await video.evaluate(async (element: HTMLVideoElement, limit: number) => {
    const one = (): Promise<boolean> =>
      new Promise((resolve) => {
        const late = setTimeout(() => resolve(false), limit)
        element.requestVideoFrameCallback(() => {
          clearTimeout(late)
          resolve(true)
        })
      })
    for (let n = 0; n < 3; n += 1) if (!(await one())) return { frames: n, width: element.videoWidth }
    return { frames: 3, width: element.videoWidth }
  }, WAIT_MS)
  expect(seen.frames, 'pictures of the other side').toBe(3)
  expect(seen.width).toBeGreaterThan(100)
}

/** The fake microphone beeps once a second: the other side's stream has sound that can be measured. */
export async function hears(tile: Locator): Promise<void> {
  const level = await tile.locator('video').first().evaluate(async (element: HTMLVideoElement, limit: number) => {
    const stream = element.srcObject as MediaStream
    if (stream.getAudioTracks().length === 0) return -1
    const machine = new AudioContext()
    const meter = machine.createAnalyser()
    machine.createMediaStreamSource(stream).connect(meter)
    const samples = new Float32Array(meter.fftSize)
    const end = performance.now() + limit
    let loudest = 0
    while (loudest < 0.01 && performance.now() < end) {
      await new Promise((resolve) => requestAnimationFrame(resolve))
      meter.getFloatTimeDomainData(samples)
      for (const one of samples) loudest = Math.max(loudest, Math.abs(one))
    }
    await machine.close()
    return loudest
  }, WAIT_MS)
  expect(level, 'loudness of the other side').toBeGreaterThan(0.01)
}

/** Cuts the newest WebSocket of the page, as a network does. */
export async function cut(page: Page): Promise<void> {
  await page.evaluate(() => (window as unknown as Watched).__sockets.at(-1)?.close())
}

/** How the newest file that the page shows begins: `%PDF`. */
export async function shownFile(page: Page): Promise<string> {
  return page.evaluate(async () => (await (window as unknown as Watched).__files.at(-1)?.slice(0, 4).text()) ?? '')
}

export async function liveTracks(page: Page): Promise<number> {
  return page.evaluate(() => (window as unknown as Watched).__tracks.filter((track) => track.readyState === 'live').length)
}

/** What the browser still holds. */
export async function leftOn(window: Window): Promise<Record<string, number | string>> {
  const tracks = await liveTracks(window.page)
  return window.page.evaluate(async (live) => ({
    local: localStorage.length,
    session: sessionStorage.length,
    cookies: document.cookie,
    caches: (await caches.keys()).length,
    databases: (await indexedDB.databases()).length,
    tracks: live,
  }), tracks)
}

// The people.

export async function signIn(window: Window, path: string, account: string): Promise<void> {
  await window.page.goto(path)
  await window.see('sign-in')
  await window.at('sign-in-account').fill(account)
  await window.at('sign-in-password').fill(PASSWORD)
  await window.click('sign-in-submit')
}

/** Begins at the seat that is chosen, with the ring heard. */
export async function startSeat(window: Window): Promise<void> {
  await window.see('seat-choice')
  await window.click('ring-test')
  await expect.poll(() => window.at('seat-start').isEnabled(), { timeout: WAIT_MS }).toBe(true)
  await window.click('seat-start')
}

/** Signs in at the console and takes the first free seat. Who waits may ring at once. */
export async function sitDown(window: Window, account: string): Promise<void> {
  await signIn(window, '/console/', account)
  await startSeat(window)
}

/** Sits down where nobody waits, and is ready. */
export async function takeSeat(window: Window, account: string): Promise<void> {
  await sitDown(window, account)
  await seatIs(window, 'ready')
}

export async function seatIs(window: Window, state: string): Promise<void> {
  await window.page.locator(`[data-testid="workspace"][data-seat-state="${state}"]`).waitFor()
}

/** Whole sentences of a choice in the console's state menu. */
export async function chooseState(window: Window, choice: string): Promise<void> {
  await window.click('state-menu')
  await window.click(choice)
}

export async function openBooth(window: Window, server: Running): Promise<void> {
  await window.page.goto(`/booth/?bridge=${encodeURIComponent(server.bridge)}`)
  await window.see('idle')
  await window.gone('starting')
}

/** A card of the demo county on the simulated reader. */
export async function swipe(server: Running, person: string): Promise<void> {
  const answer = await fetch(`${server.bridge}/demo/swipe/${person}`, { method: 'POST', headers: { origin: server.bridge } })
  expect(answer.status).toBe(204)
}

export async function say(window: Window, box: string, text: string): Promise<void> {
  const entry = window.at(box).locator('textarea').first()
  await entry.fill(text)
  await entry.press('Enter')
}

/** From a work list to the case. */
export async function openCase(window: Window, number: string): Promise<void> {
  await window.at(`case-${number}`).getByTestId('open').click()
  await window.see('case')
}

/** The phone looks again when it comes to the front. */
export async function refresh(window: Window): Promise<void> {
  await window.page.evaluate(() => globalThis.dispatchEvent(new Event('focus')))
}
