/** The citizen's network, not the server's: a line that is down for ten seconds, and an address that changes under way. The talk, its form
 * and both pages stay; who sees a picture that stands still is told why. */
import { Guard, launch } from '@cloud-booth/testkit'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call } from './calls.ts'
import { Line, freeUdpPort } from './line.ts'
import { type Running, startServer } from './server.ts'
import { deskHasRecipient, fillRecipient, paperHasRecipient, sessionOf, talkByPhone } from './talk.ts'
import { type Watched, type Window, WAIT_MS, hears, openWindow, seatIs, seesMoving, takeSeat } from './windows.ts'

const RECIPIENT = '沅江市第七小学'
/** How long the cable is out. */
const DOWN_MS = 10_000
/** The product's bound, from the moment when the network is there again. */
const BACK_MS = 3_000

let server: Running
let browser: Browser
let line: Line
const guard = new Guard()
beforeAll(async () => {
  const port = await freeUdpPort()
  server = await startServer({ CLOUD_BOOTH_MEDIA__UDP_PORT: String(port) })
  line = await Line.before(port)
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  line?.close()
  await server?.stop()
})

/** Resolves when pictures are decoded and sound arrives at this page, more than what was under way: over whichever connection it has. */
async function flows(page: Page): Promise<void> {
  const came = await page.evaluate(async (limit) => {
    const [PICTURES, PACKETS, LOOK_MS] = [5, 5, 20]
    const start = new Map<RTCPeerConnection, { pictures: number; sound: number }>()
    for (const end = performance.now() + limit; performance.now() < end; await new Promise((done) => setTimeout(done, LOOK_MS))) {
      for (const peer of (window as unknown as Watched).__peers) {
        if (peer.connectionState === 'closed') continue
        const now = { pictures: 0, sound: 0 }
        for (const report of (await peer.getStats()).values() as Iterable<RTCInboundRtpStreamStats>) {
          if (report.type !== 'inbound-rtp') continue
          if (report.kind === 'video') now.pictures += report.framesDecoded ?? 0
          else now.sound += report.packetsReceived ?? 0
        }
        const before = start.get(peer)
        if (!before) start.set(peer, now)
        else if (now.pictures - before.pictures >= PICTURES && now.sound - before.sound >= PACKETS) return true
      }
    }
    return false
  }, WAIT_MS)
  expect(came, 'pictures and sound again').toBe(true)
}

/** How long it takes until both hear and see each other again, ms. */
async function back(phone: Window, desk: Window): Promise<number> {
  const since = performance.now()
  await Promise.all([flows(phone.page), flows(desk.page)])
  return performance.now() - since
}

async function openSockets(page: Page): Promise<number> {
  return page.evaluate(() => (window as unknown as Watched).__sockets.filter((one) => one.readyState === WebSocket.OPEN).length)
}

/** A talk over the line, with something written in its form. */
async function talk(account: string): Promise<{ phone: Window; desk: Window; session: string }> {
  const desk = await openWindow(browser, server, 'console', guard)
  const phone = await openWindow(browser, server, 'phone', guard)
  await line.lead(phone.context)
  await takeSeat(desk, account)
  await talkByPhone(phone, desk)
  await Promise.all([seesMoving(desk.at('citizen-video')), seesMoving(phone.at('agent-video'))])
  await fillRecipient(desk, RECIPIENT)
  await paperHasRecipient(phone, RECIPIENT)
  return { phone, desk, session: await sessionOf(desk) }
}

/** The talk goes on as if nothing had been, form and all. */
async function isAsBefore(phone: Window, desk: Window, session: string, account: string): Promise<void> {
  await Promise.all([seesMoving(desk.at('citizen-video')), seesMoving(phone.at('agent-video')), hears(desk.at('citizen-video'))])
  await seatIs(desk, 'busy')
  expect(await sessionOf(desk)).toBe(session)
  expect((await call(server, account, `/sessions/${session}`)).body).toMatchObject({ id: session, state: 'active' })
  await deskHasRecipient(desk, RECIPIENT)
  await paperHasRecipient(phone, RECIPIENT)
}

function tell(figure: string, ms: number[]): void {
  process.stdout.write(`${JSON.stringify({ figure, value: Math.round(Math.max(...ms)), unit: 'ms', n: ms.length })}\n`)
}

it('a line that is down for ten seconds: both sides are told, and the same talk goes on', async () => {
  const { phone, desk, session } = await talk('agent1')
  const sockets = await openSockets(phone.page)
  await expect.poll(() => line.carried.to_page, { message: 'the call goes by the line', timeout: WAIT_MS }).toBeGreaterThan(100)

  line.down()
  const since = performance.now()
  await Promise.all([desk.see('media-note', '对方的网络断了'), phone.see('media-lost', '正在重连')])
  expect(performance.now() - since, 'said while it lasts').toBeLessThan(DOWN_MS / 2)
  await phone.see('network', '网络断开')
  expect(await desk.at('snapshot').isDisabled(), 'a picture of before is none to keep').toBe(true)
  await phone.shot('150-phone-line-down')
  await desk.shot('151-desk-line-down')
  await new Promise((done) => setTimeout(done, DOWN_MS - (performance.now() - since)))
  // Until the end, and nothing else happened.
  await Promise.all([desk.see('media-note', '对方的网络断了'), phone.see('media-lost', '正在重连')])
  expect(await openSockets(phone.page), 'signaling does not pass the line').toBe(sockets)
  expect(line.carried, 'nothing comes through').toEqual({ to_server: 0, to_page: 0 })
  await seatIs(desk, 'busy')

  line.up()
  const took = await back(phone, desk)
  tell('page_link_down_back_ms', [took])
  expect(took).toBeLessThanOrEqual(BACK_MS)
  await Promise.all([desk.gone('media-note'), phone.gone('media-lost')])
  await isAsBefore(phone, desk, session, 'agent1')
  expect(await openSockets(phone.page)).toBe(sockets)
  guard.assertClean()
  await Promise.all([phone.context.close(), desk.context.close()])
})

it('an address that changes three times: the same connection goes on', async () => {
  const { phone, desk, session } = await talk('agent2')
  const peers = await phone.page.evaluate(() => (window as unknown as Watched).__peers.length)
  const took: number[] = []
  for (let n = 0; n < 3; n += 1) {
    expect(line.move(), 'clients that have another address').toBeGreaterThan(0)
    took.push(await back(phone, desk))
    const { to_server, to_page } = line.carried
    expect(Math.min(to_server, to_page), 'packets by the new address').toBeGreaterThan(10)
  }
  tell('page_address_change_ms', took)
  expect(Math.max(...took)).toBeLessThanOrEqual(BACK_MS)
  await isAsBefore(phone, desk, session, 'agent2')
  expect(await phone.page.evaluate(() => (window as unknown as Watched).__peers.length), 'nothing was dialled anew').toBe(peers)
  guard.assertClean()
  await Promise.all([phone.context.close(), desk.context.close()])
})
