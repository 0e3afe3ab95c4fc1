/** What the desk's journeys share: a call from the phone, a form under way, who sits where, and what of the others arrives at a page. */
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { call } from './calls.ts'
import { control, field } from './paper.ts'
import type { Running } from './server.ts'
import { type Window, type Watched, WAIT_MS, eventually, seatIs } from './windows.ts'

export const ITEM = 'no-criminal-record'
const RECIPIENT_GROUP = '证明的用途'
const RECIPIENT = 'purpose.recipient'

/** From the phone's home page to the queue, camera and microphone checked. */
export async function queueByPhone(phone: Window): Promise<void> {
  await phone.page.goto('/phone/')
  await phone.click('call')
  await phone.click('check-start')
  await phone.click('queue')
}

/** A phone and a seat that is ready: in a session. */
export async function talkByPhone(phone: Window, desk: Window): Promise<void> {
  await queueByPhone(phone)
  await desk.see('ring-card')
  await desk.click('accept')
  await seatIs(desk, 'busy')
  await phone.see('talk-view')
}

/** The agent opens the form and fills in for whom the paper is. */
export async function fillRecipient(desk: Window, text: string): Promise<void> {
  await desk.click(`open-form-${ITEM}`)
  await desk.see('form-title')
  await control(desk, RECIPIENT).fill(text)
  await control(desk, RECIPIENT).blur()
}

/** It stands in the form of whoever serves the citizen. */
export async function deskHasRecipient(desk: Window, text: string): Promise<void> {
  await expect.poll(() => control(desk, RECIPIENT).inputValue().catch(() => ''), { timeout: WAIT_MS }).toBe(text)
}

/** It stands on the citizen's paper. */
export async function paperHasRecipient(citizen: Window, text: string): Promise<void> {
  const paper = citizen.page.locator('.form.citizen')
  const show = citizen.at('show-form')
  await paper.or(show).first().waitFor()
  if (await show.isVisible()) await show.click()
  await paper.waitFor()
  const heading = paper.locator('.group h3')
  for (let now = await heading.innerText(); now.trim() !== RECIPIENT_GROUP; now = await heading.innerText()) {
    await paper.getByRole('button', { name: '下一步', exact: true }).click()
    await expect.poll(() => heading.innerText(), { timeout: WAIT_MS }).not.toBe(now)
  }
  await eventually(() => field(citizen, RECIPIENT).innerText(), text)
}

interface Seat {
  id: string
  state: string
  staff: string | null
  away_reason: string | null
}

/** The seats that somebody holds. */
export async function seatsOnDuty(server: Running): Promise<Seat[]> {
  const answer = await call(server, 'supervisor', '/seats')
  expect(answer.status).toBe(200)
  return (answer.body.items as Seat[]).filter((seat) => seat.state !== 'offline')
}

/** The one seat that is in this state. */
export async function seatIn(server: Running, state: string): Promise<string> {
  const found = (await seatsOnDuty(server)).filter((seat) => seat.state === state)
  expect(found.length, `seats that are ${state}`).toBe(1)
  return found[0]?.id ?? ''
}

export async function sessionOf(desk: Window): Promise<string> {
  return (await desk.page.locator('[data-session]').getAttribute('data-session')) ?? ''
}

// What arrives.

export interface Received {
  /** Pictures that were decoded, of everybody. */
  pictures: number
  /** Packets of sound. */
  sound: number
}

/** What this page has received of others since its newest connection began. */
export async function received(page: Page): Promise<Received> {
  return page.evaluate(async () => {
    const peer = (window as unknown as Watched).__peers.filter((one) => one.connectionState !== 'closed').at(-1)
    const sum = { pictures: 0, sound: 0 }
    if (!peer) return sum
    for (const report of (await peer.getStats()).values() as Iterable<RTCInboundRtpStreamStats>) {
      if (report.type !== 'inbound-rtp') continue
      if (report.kind === 'video') sum.pictures += report.framesDecoded ?? 0
      else sum.sound += report.packetsReceived ?? 0
    }
    return sum
  })
}

/** Waits until this many more pictures and packets of sound came than `since`. */
export async function receives(page: Page, since: Received, more: number): Promise<void> {
  await expect.poll(async () => {
    const now = await received(page)
    return Math.min(now.pictures - since.pictures, now.sound - since.sound)
  }, { timeout: WAIT_MS, interval: 200 }).toBeGreaterThanOrEqual(more)
}

/** While `witness` goes on receiving, nothing new comes to `page`: what was under way when it began may still end. */
export async function receivesNothing(page: Page, witness: Page): Promise<void> {
  await receives(witness, await received(witness), 5)
  const before = await received(page)
  await receives(witness, await received(witness), 15)
  expect(await received(page)).toEqual(before)
}

/** Packets of sound by the line that they came on. */
async function soundByLine(page: Page): Promise<Map<string, number>> {
  const lines = await page.evaluate(async () => {
    const peer = (window as unknown as Watched).__peers.filter((one) => one.connectionState !== 'closed').at(-1)
    const found: [string, number][] = []
    if (!peer) return found
    for (const report of (await peer.getStats()).values() as Iterable<RTCInboundRtpStreamStats>) {
      if (report.type === 'inbound-rtp' && report.kind === 'audio') found.push([report.mid ?? '', report.packetsReceived ?? 0])
    }
    return found
  })
  return new Map(lines)
}

/** From how many people sound comes to the page now: lines that went on while the page received more. */
export async function voices(page: Page): Promise<number> {
  const before = await soundByLine(page)
  const sum = (lines: Map<string, number>): number => [...lines.values()].reduce((all, one) => all + one, 0)
  let now = before
  await expect.poll(async () => sum((now = await soundByLine(page))) - sum(before), { timeout: WAIT_MS, interval: 200 }).toBeGreaterThanOrEqual(60)
  return [...now].filter(([line, count]) => count > (before.get(line) ?? 0)).length
}

/** Sound comes from so many people, and goes on coming from no more. */
export async function hearsPeople(page: Page, people: number): Promise<void> {
  await expect.poll(() => voices(page), { timeout: WAIT_MS }).toBe(people)
}

// Help.

type Tab = 'consult' | 'join' | 'guest' | 'transfer'

/** Opens the sheet of help at a tab. */
export async function openHelp(desk: Window, tab: Tab): Promise<void> {
  await desk.click('transfer')
  await desk.see('help-sheet')
  await desk.click(`help-tab-${tab}`)
}

/** Asks whoever is named by the choice's key: `seat:<id>`, `skill:<code>`, `queue:<skill>`. */
export async function askFor(desk: Window, key: string): Promise<void> {
  await desk.click(`help-${key}`)
  await desk.click('help-ask')
  await desk.gone('help-sheet')
}
