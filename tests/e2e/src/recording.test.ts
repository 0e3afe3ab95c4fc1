/** A recording from the question to the replay: refused, agreed, proven, the gate, the script, the signature; stopped by the citizen; played back. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser, Locator } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, hallOf, send } from './calls.ts'
import { confirmGroup, control, field, press, toGroup, write } from './paper.ts'
import { type Running, startServer } from './server.ts'
import { openHelp, sessionOf, talkByPhone } from './talk.ts'
import { type Window, WAIT_MS, eventually, openBooth, openCase, openWindow, seatIs, seesMoving, signIn, swipe, takeSeat } from './windows.ts'

/** Of the demo county: it is recorded, and holds card, prompts and signature until it is. */
const ITEM = 'medical-offsite'
const INSURANCE_CARD = '11100000000135140A001'
const CITIZEN = { card: 'liu-yang', mobile: '13800000005' }
const GROUPS = ['参保信息', '去哪里看病', '怎么联系您', '请您本人确认']
const PURPOSE = '复核异地就医备案'

let server: Running
let browser: Browser
// Whoever comes to the wallboard without a sign-in is asked for one; what is locked is refused on purpose.
const guard = new Guard({ allow: [/401 .*\/auth\/refresh/, /409/] })
beforeAll(async () => {
  server = await startServer()
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

interface Recording {
  id: string
  state: string
  proven_at: string | null
  end_reason: string | null
}
/** The newest recording of a session, as the server tells it to its agent. */
async function recordingOf(session: string, account = 'agent1'): Promise<Recording | null> {
  return ((await call(server, account, `/sessions/${session}`)).body.recording as Recording | null) ?? null
}
/** The sign with this state, on this page. */
async function signIs(window: Window, state: string, words: string): Promise<void> {
  const sign = window.page.locator(`[data-testid="recording"][data-state="${state}"]`).locator('visible=true').first()
  await sign.waitFor({ timeout: WAIT_MS })
  await eventually(() => sign.innerText(), words)
}
async function sameSize(one: Locator, other: Locator): Promise<void> {
  const [a, b] = [await one.boundingBox(), await other.boundingBox()]
  expect(Math.abs((a?.width ?? 0) - (b?.width ?? 9))).toBeLessThan(1)
  expect(Math.abs((a?.height ?? 0) - (b?.height ?? 9))).toBeLessThan(1)
}

/** How far the legs of a replay are apart, seconds on the recording's clock; `starts`: where each part begins on it, by its address. */
async function apart(player: Locator, starts: ReadonlyMap<string, number>): Promise<number> {
  const clocks = await player.locator('video').evaluateAll((list, known) => {
    const from = new Map(known)
    // A part that warms up behind another is not shown.
    const shown = (list as HTMLVideoElement[]).filter((one) => one.checkVisibility())
    return shown.map((one) => one.currentTime + (from.get(one.getAttribute('src') ?? '') ?? Number.NaN) / 1000)
  }, [...starts])
  expect(clocks.length, 'legs on the screen').toBeGreaterThanOrEqual(2)
  return Math.max(...clocks) - Math.min(...clocks)
}

describe.sequential('a recording', () => {
  let recorded = ''
  let number = ''

  it('is refused, asked again, agreed; the gate opens when it is proven; prompts, signature, hand-off', async () => {
    const booth = await openWindow(browser, server, 'booth', guard)
    const desk = await openWindow(browser, server, 'console', guard)
    await openBooth(booth, server)
    await takeSeat(desk, 'agent1')
    // A card that is read before the call says who calls; for this item it is read again before the camera.
    await swipe(server, CITIZEN.card)
    await booth.see('identity')
    await booth.click(`item-${ITEM}`)
    await booth.click('call-now')
    await desk.see('ring-card')
    await desk.page.keyboard.press('F2')
    await seatIs(desk, 'busy')
    await booth.see('session-active')
    await Promise.all([seesMoving(desk.at('citizen-video')), seesMoving(booth.at('agent-video'))])
    const session = await sessionOf(desk)

    // What the item holds back says so on both sides.
    await desk.click(`open-form-${ITEM}`)
    await desk.see('form-title', '异地就医备案')
    await desk.see('recording-lock', '录上了才能')
    await signIs(desk, 'off', '没有录制')
    await booth.see('paper-card-locked', '先开始录音录像')
    await swipe(server, CITIZEN.card)
    await booth.see('card-locked', '先开始录音录像')
    await booth.shot('120-booth-card-locked')
    await booth.click('card-skip')

    await desk.click('ask-recording')
    await booth.see('recording-notice', '随时能停')
    await signIs(desk, 'asked', '等对方决定')
    await sameSize(booth.at('recording-agree'), booth.at('recording-refuse'))
    await checkAccessibility(booth.page)
    await booth.shot('121-booth-recording-ask')
    await booth.page.keyboard.press('Escape')
    await booth.see('recording-notice')
    await booth.click('recording-refuse')
    await signIs(desk, 'refused', '不同意')
    await booth.see('recording-hint', '只咨询，或去窗口办')
    expect(await recordingOf(session)).toMatchObject({ state: 'refused', proven_at: null })
    await booth.shot('122-booth-recording-refused')

    await desk.click('ask-recording')
    await booth.click('recording-agree')
    await signIs(booth, 'live', '正在录音录像')
    await signIs(desk, 'live', '正在录音录像')
    const live = await recordingOf(session)
    expect(live).toMatchObject({ state: 'live' })
    expect(live?.proven_at).not.toBeNull()
    recorded = live?.id ?? ''
    await booth.gone('paper-card-locked')
    await booth.see('ask-card', '再刷一次')
    await desk.see('recording-lock', '再刷一次')
    await booth.shot('123-booth-recording')
    await desk.shot('124-desk-recording')

    // The card, now that it is recorded.
    await swipe(server, CITIZEN.card)
    await booth.gone('ask-card')

    await desk.click('snapshot')
    await desk.click('panel-3')
    await desk.page.locator('[data-testid^="snapshot-"] img').first().waitFor()
    await desk.shot('125-desk-snapshot')

    // The signature waits for the script.
    await desk.see('recording-lock')
    const script = desk.at('script')
    const total = Number(await script.getAttribute('data-total'))
    expect(total).toBeGreaterThan(3)
    let refused = ''
    for (let done = 0; done < total; done += 1) {
      const now = desk.at('script-now')
      const id = await now.getAttribute('data-prompt')
      await desk.page.keyboard.press('Control+Alt+KeyR')
      const sheet = booth.page.locator(`[data-testid="prompt-sheet"][data-prompt="${id}"]`).locator('visible=true')
      await sheet.waitFor()
      if (done === 1) {
        await sameSize(booth.at('prompt-yes'), booth.at('prompt-no'))
        await checkAccessibility(booth.page)
        await booth.shot('126-booth-prompt')
        await desk.shot('127-desk-script')
      }
      if (await booth.at('prompt-ok').isVisible()) await booth.click('prompt-ok')
      // One answer is spoken, and marked by the agent.
      else if (done === 2) {
        await desk.see('script-yes')
        await desk.page.keyboard.press('Control+Alt+KeyY')
      } else if (done > 2 && !refused) {
        refused = id ?? ''
        await booth.click('prompt-no')
      } else await booth.click('prompt-yes')
      await expect.poll(() => script.getAttribute('data-done'), { timeout: WAIT_MS }).toBe(String(done + 1))
    }
    // A no is talked over, read again and answered again; until then nothing is signed.
    await desk.see('script-done', '答了“否”')
    await desk.see('recording-lock')
    await desk.click(`script-again-${refused}`)
    await desk.see('script-given', '否')
    await desk.shot('127-desk-script-no')
    await desk.page.keyboard.press('Control+Alt+KeyR')
    await booth.page.locator(`[data-testid="prompt-sheet"][data-prompt="${refused}"]`).locator('visible=true').waitFor()
    await booth.click('prompt-yes')
    await desk.see('script-done', '都念完')
    await eventually(() => booth.at('prompt-answers').innerText(), '工作人员记下')
    await desk.gone('recording-lock')

    await desk.click('panel-2')
    await desk.click(`ask-consent-${INSURANCE_CARD}`)
    await booth.at('consent-sheet').getByRole('button', { name: '同意取用', exact: true }).click()
    await desk.page.locator('[data-testid^="consent-"][data-outcome="filled"]').waitFor()
    const next = new Date().getFullYear() + 1
    await control(desk, 'offsite.kind').selectOption('temporary')
    for (const [path, value] of [['offsite.region', '430100'], ['offsite.place', '长沙市'], ['offsite.start_date', `${next}-01-05`], ['offsite.end_date', `${next}-03-05`], ['contact.mobile', CITIZEN.mobile]] as const) {
      await control(desk, path).fill(value)
      await control(desk, path).blur()
    }
    for (const title of GROUPS) {
      await toGroup(booth, title, GROUPS)
      if (title === '请您本人确认') {
        await field(booth, 'statement.policy_known').getByRole('button', { name: /修改/ }).click()
        await control(booth, 'statement.policy_known').selectOption('yes')
        await press(booth, '改好了')
      }
      await confirmGroup(booth, title)
    }
    await desk.click('ask-sign')
    await booth.see('sign-sheet')
    await write(booth)
    await booth.at('signature').getByRole('button', { name: '签好了', exact: true }).click()
    await booth.see('signed')
    await desk.click('hand-off')
    await desk.click('hand-off-now')
    await booth.see('handed-off')
    number = /\d{20}/.exec(await desk.at('case-number').innerText())?.[0] ?? ''
    await booth.click('finish')
    await booth.see('end-case')
    await booth.see('recorded', '录了音')
    await booth.shot('128-booth-end')
    await expect.poll(async () => (await recordingOf(session))?.state, { timeout: WAIT_MS }).toBe('sealed')
    guard.assertClean()
    await Promise.all([booth.context.close(), desk.context.close()])
  }, 6 * WAIT_MS)

  it('is stopped by the citizen: nothing is written any more, the call goes on', async () => {
    const phone = await openWindow(browser, server, 'phone', guard)
    const desk = await openWindow(browser, server, 'console', guard)
    await takeSeat(desk, 'agent2')
    await talkByPhone(phone, desk)
    await Promise.all([seesMoving(desk.at('citizen-video')), seesMoving(phone.at('agent-video'))])
    const session = await sessionOf(desk)
    // No item asks for it: it is among the tools.
    await desk.click('panel-6')
    await desk.click('tool-recording')
    await phone.see('recording-notice', '随时能停')
    await checkAccessibility(phone.page)
    await phone.shot('130-phone-recording-ask')
    await phone.click('recording-agree')
    await signIs(phone, 'live', '正在录音录像')
    await signIs(desk, 'live', '正在录音录像')
    await phone.shot('131-phone-recording')
    // Whoever comes by a link learns of it as soon as they are there; to stop it is not theirs.
    await openHelp(desk, 'guest')
    await desk.click('help-link')
    const link = /https?:\S+#g=\S+/.exec(await (await desk.see('guest-link', '#g=')).innerText())?.[0] ?? ''
    await desk.page.keyboard.press('Escape')
    const guest = await openWindow(browser, server, 'phone', guard)
    await guest.page.goto(link)
    await guest.at('field-name').fill('王阿姨')
    await guest.click('guest-join')
    await signIs(guest, 'live', '正在录音录像')
    await seesMoving(guest.at('agent-video'))
    expect(await guest.at('recording-stop').count()).toBe(0)
    await checkAccessibility(guest.page)
    await guest.shot('134-guest-recording')
    await phone.shot('135-phone-recording-guest')
    await guest.click('hang-up')
    await guest.click('leave-now')
    await guest.context.close()
    // Shrunk, the call says it still.
    await phone.click('shrink')
    await phone.see('mini-call', '正在录音录像')
    await phone.click('mini-call')

    await phone.click('recording-stop')
    await phone.see('recording-stop-sheet', '马上不再录')
    await phone.shot('132-phone-recording-stop')
    await phone.click('recording-keep')
    await signIs(phone, 'live', '正在录音录像')
    await phone.click('recording-stop')
    await phone.click('recording-stop-now')
    await signIs(phone, 'ended', '已停止')
    await signIs(desk, 'ended', '对方停止了录制')
    await phone.see('recording-hint', '接着咨询')
    expect(await recordingOf(session, 'agent2')).toMatchObject({ end_reason: 'withdrawn' })
    await seesMoving(desk.at('citizen-video'))
    await desk.shot('133-desk-withdrawn')
    guard.assertClean()
    await Promise.all([phone.context.close(), desk.context.close()])
  }, 4 * WAIT_MS)

  it('is there for the reviewer who has the case, beside it', async () => {
    const office = await openWindow(browser, server, 'console', guard)
    await signIn(office, '/office/', 'reviewer2')
    const lines = (await call(server, 'supervisor', '/recordings')).body.items as { id: string; case_number: string }[]
    await openCase(office, lines.find((one) => one.id === recorded)?.case_number ?? '')
    await office.click('claim')
    await office.see('release')
    await office.click('recordings')
    const row = office.page.getByTestId(`recording-${recorded}`)
    await row.waitFor()
    await eventually(() => row.innerText(), '已封存签名')
    expect(await office.page.getByTestId(`hold-${recorded}`).count(), 'the hold is not theirs').toBe(0)
    await checkAccessibility(office.page)
    await office.shot('145-office-recordings')
    guard.assertClean()
    await office.context.close()
  })

  it('is played back by the supervisor, who says why; held and let go', async () => {
    const wall = await openWindow(browser, server, 'console', guard)
    await signIn(wall, '/wall/#recordings', 'supervisor')
    const row = wall.page.getByTestId(`recording-${recorded}`)
    await row.waitFor()
    await eventually(() => row.innerText(), '已封存签名')
    await checkAccessibility(wall.page)
    await wall.shot('140-wall-recordings')

    // By the end of its case's number, among all that the hall has; a number that no case has finds nothing.
    expect(number).toHaveLength(20)
    await wall.at('filter-number').fill('99999999')
    await wall.see('recordings-empty', '没有符合的')
    await wall.shot('140-wall-recordings-none')
    await wall.at('filter-number').fill(number.slice(-8))
    await row.waitFor()
    const sessions = await wall.page.locator('[data-testid="recordings"] tbody tr').evaluateAll((list) => list.map((one) => one.getAttribute('data-session')))
    expect(new Set(sessions), 'sessions of the case').toEqual(new Set([await row.getAttribute('data-session')]))

    await wall.click(`replay-${recorded}`)
    await wall.click('act-do')
    await wall.see('act-sheet', '请先写用途')
    await wall.at('purpose').fill(PURPOSE)
    await wall.shot('141-wall-purpose')
    const [opened] = await Promise.all([wall.page.waitForResponse((answer) => answer.request().method() === 'POST' && answer.url().endsWith(`/recordings/${recorded}/replays`)), wall.click('act-do')])
    const { legs } = (await opened.json()) as { legs: { parts: { src: string; from_ms: number }[] }[] }
    const starts = new Map(legs.flatMap((leg) => leg.parts.map((part) => [part.src, part.from_ms] as const)))
    await wall.see('replay-room')
    await wall.page.locator('[data-testid="replay-room"][data-integrity="valid"]').waitFor({ timeout: WAIT_MS })
    const player = wall.at('replay-player')
    const at = async (): Promise<number> => Number(await player.getAttribute('data-at'))
    const videos = player.locator('video')
    await expect.poll(() => videos.count(), { timeout: WAIT_MS }).toBeGreaterThanOrEqual(2)
    const times = (): Promise<number[]> => videos.evaluateAll((list) => list.map((one) => (one as HTMLVideoElement).currentTime))
    const before = await times()
    await wall.click('replay-play')
    await expect.poll(at, { timeout: WAIT_MS }).toBeGreaterThan(1_500)
    expect(await videos.evaluateAll((list) => list.every((one) => (one as HTMLVideoElement).readyState >= 2 && (one as HTMLVideoElement).videoWidth > 0))).toBe(true)
    const now = await times()
    for (const [index, time] of now.entries()) expect(time, `leg ${index + 1} plays`).toBeGreaterThan(before[index] ?? 0)
    // One clock: the legs are together while they play, and when they stop.
    await expect.poll(() => apart(player, starts), { timeout: WAIT_MS }).toBeLessThan(0.2)
    await player.focus()
    await wall.page.keyboard.press('k')
    await expect.poll(() => player.getAttribute('data-playing')).toBe('false')
    await expect.poll(() => videos.evaluateAll((list) => (list as HTMLVideoElement[]).every((one) => one.paused && !one.seeking))).toBe(true)
    expect(await apart(player, starts), 'seconds between the legs, stopped').toBeLessThan(0.2)
    await wall.page.keyboard.press('Home')
    await expect.poll(at, { timeout: WAIT_MS }).toBe(0)

    const marks = wall.at('replay-marks')
    for (const kind of ['consent', 'prompt', 'answer', 'signature', 'snapshot']) expect(await marks.locator(`[data-kind="${kind}"]`).count(), kind).toBeGreaterThan(0)
    await marks.locator('[data-kind="signature"] .go').first().click()
    await expect.poll(at, { timeout: WAIT_MS }).toBeGreaterThan(1_000)
    await checkAccessibility(wall.page)
    await wall.shot('142-wall-replay')
    const [manifest] = await Promise.all([wall.page.waitForEvent('download'), wall.click('manifest')])
    expect(manifest.suggestedFilename()).toContain(recorded)

    // Who looked, and why, is kept.
    await wall.click('notes-load')
    await wall.see('replay-notes', PURPOSE)

    await wall.click('replay-close')
    await wall.click(`hold-${recorded}`)
    await wall.at('hold-reason').fill('有人投诉')
    await wall.click('act-do')
    await wall.page.locator(`[data-testid="recording-${recorded}"][data-held="true"]`).waitFor()
    await wall.shot('143-wall-held')
    await wall.click(`hold-${recorded}`)
    await wall.click('act-do')
    await wall.page.locator(`[data-testid="recording-${recorded}"][data-held="false"]`).waitFor()
    guard.assertClean()
    await wall.context.close()
  }, 4 * WAIT_MS)

  it('belongs to its hall: another hall and an agent see nothing of it', async () => {
    expect(recorded).toMatch(/^rec_/)
    const [manifest, replays] = [`/recordings/${recorded}/manifest`, `/recordings/${recorded}/replays`]
    // The same asked by those entitled: what follows is refused for who asks, not for what is asked.
    const signed = await call(server, 'supervisor', manifest)
    expect([signed.status, JSON.parse(String(signed.body.manifest)).recording]).toEqual([200, recorded])
    expect((await call(server, 'supervisor', replays, { purpose: PURPOSE })).status).toBe(200)
    expect((await call(server, 'supervisor2', `/recordings?hall=${await hallOf(server, 'supervisor2')}`)).status).toBe(200)

    // To everybody else it is not there, as one that never was.
    for (const account of ['agent1', 'supervisor2']) {
      const refused = await Promise.all([call(server, account, manifest), call(server, account, replays), call(server, account, replays, { purpose: PURPOSE })])
      for (const answer of refused) expect([answer.status, answer.body.code], account).toEqual([404, 'recording_not_found'])
    }
    const list = await call(server, 'supervisor2', `/recordings?hall=${await hallOf(server, 'agent1')}`)
    expect([list.status, list.body.code]).toEqual([403, 'role_missing'])
    expect((await send(server, null, manifest)).status).toBe(401)
  })

  it('is told and kept by the hall’s rules, which an administrator keeps', async () => {
    const admin = await openWindow(browser, server, 'console', guard)
    await signIn(admin, '/admin/queues/halls', 'admin')
    await admin.see('recording-policy')
    await admin.click('recording-policy-edit')
    await admin.at('field-policy-days_routine').fill('0')
    await admin.page.keyboard.press('Control+Enter')
    await admin.see('fault-policy-days_routine')
    await admin.at('field-policy-days_routine').fill('180')
    await admin.shot('144-admin-recording-policy')
    await admin.page.keyboard.press('Control+Enter')
    await admin.see('recording-routine', '6个月')
    await checkAccessibility(admin.page)
    guard.assertClean()
    await admin.context.close()
  })
})
