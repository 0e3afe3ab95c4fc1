/** The main job from end to end: a citizen calls from a booth, an agent helps, the case is reviewed and issued, and verified. */
import { Guard, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { type Window, WAIT_MS, chooseState, cut, eventually, hears, liveTracks, openBooth, openWindow, say, seatIs, seesMoving, shownFile, swipe, takeSeat } from './windows.ts'

const ITEM = 'no-criminal-record'
const IDENTITY_CARD = '11100000000013338W011'
/** 刘洋, of the demo county. */
const CITIZEN = { card: 'liu-yang', name: '刘洋', number: '430981199802279647', mobile: '13800000005' }
const RECIPIENT = '沅江市第一小学'

let server: Running
let browser: Browser
let booth: Window
let desk: Window
let phone: Window
let caseNumber = ''
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

  step('the form opens on both screens; each sees the other type', async () => {
    await desk.click(`open-form-${ITEM}`)
    await desk.see('form-title', '无犯罪记录证明')
    await booth.see('form', '您的身份')
    await press(booth, '下一步')
    await booth.see('form', '证明的用途')
    await control(desk, 'purpose.recipient').pressSequentially(RECIPIENT.slice(0, 3))
    await eventually(() => field(booth, 'purpose.recipient').innerText(), '赵磊正在填')
    await control(desk, 'purpose.recipient').fill(RECIPIENT)
    await control(desk, 'purpose.recipient').blur()
    await eventually(() => field(booth, 'purpose.recipient').innerText(), RECIPIENT)
    await eventually(() => field(booth, 'purpose.recipient').innerText(), '赵磊代填')
    await booth.shot('11-booth-form')
  })

  step('the console is reloaded in the middle: same session, nothing lost, the booth is told', async () => {
    const session = desk.page.locator('[data-session]')
    const id = await session.getAttribute('data-session')
    const told = booth.see('agent-gone')
    await desk.page.reload()
    await told
    await seatIs(desk, 'busy')
    expect(await session.getAttribute('data-session')).toBe(id)
    await booth.gone('agent-gone')
    await expect.poll(() => control(desk, 'purpose.recipient').inputValue(), { timeout: WAIT_MS }).toBe(RECIPIENT)
    await desk.click('panel-4')
    await desk.see('chat', '您好，我要开证明')
    await Promise.all([seesMoving(desk.at('citizen-video')), seesMoving(booth.at('agent-video'))])
  })

  step('the booth loses its connection and is back', async () => {
    const back = desk.page.getByTestId('timeline')
    const before = (await back.innerText()).split('\n').length
    await cut(booth.page)
    await expect.poll(async () => (await back.innerText()).split('\n').length, { timeout: WAIT_MS }).toBeGreaterThan(before)
    await say(desk, 'chat', '刚才断了一下，现在好了')
    await booth.click('chat')
    await booth.see('chat-box', '刚才断了一下，现在好了')
    await booth.click('chat')
    await Promise.all([seesMoving(desk.at('citizen-video')), seesMoving(booth.at('agent-video'))])
  })

  step('the citizen refuses the licence: nothing is filled and the session goes on', async () => {
    await desk.click('panel-2')
    await desk.see(`prefill-${IDENTITY_CARD}`, '居民身份证')
    await desk.click(`ask-consent-${IDENTITY_CARD}`)
    const sheet = booth.at('consent-sheet')
    for (const word of ['居民身份证', '姓名', '住址', '无犯罪记录证明', '只用这一次', '不同意也能办']) await eventually(() => sheet.innerText(), word)
    await booth.shot('12-booth-consent')
    await sheet.getByRole('button', { name: '不同意，我自己填' }).click()
    await desk.page.locator('[data-testid^="consent-"][data-state="refused"]').waitFor()
    expect(await control(desk, 'applicant.name').inputValue()).toBe('')
    await toGroup(booth, '您的身份')
    await eventually(() => field(booth, 'applicant.name').innerText(), '没填')
    await booth.see('session-active')
  })

  step('asked again the citizen agrees: the fields fill with their origin, the number masked', async () => {
    await desk.click(`ask-consent-${IDENTITY_CARD}`)
    await booth.page.getByRole('button', { name: '同意取用', exact: true }).click()
    await desk.page.locator('[data-testid^="consent-"][data-outcome="filled"]').waitFor()
    for (const window of [booth, desk]) await eventually(() => field(window, 'applicant.sex').innerText(), '居民身份证·')
    await eventually(() => field(booth, 'applicant.name').innerText(), CITIZEN.name)
    await eventually(() => field(desk, 'applicant.id_number').innerText(), '4309**********9647')
    expect(await desk.page.locator('body').innerText()).not.toContain(CITIZEN.number)
    await booth.shot('13-booth-filled')
    await desk.shot('14-desk-filled')
  })

  step('a wrong value is named at its field, in both languages', async () => {
    await control(desk, 'contact.mobile').fill('12345')
    await control(desk, 'contact.mobile').blur()
    const error = field(desk, 'contact.mobile').locator('.error')
    await eventually(() => error.innerText(), /[\u4e00-\u9fff]/)
    await desk.page.getByRole('button', { name: 'English', exact: true }).click()
    await eventually(() => error.innerText(), /mobile|number|digit/i)
    expect(await error.innerText()).not.toMatch(/[\u4e00-\u9fff]/)
    await desk.page.getByRole('button', { name: '中文', exact: true }).click()
    await toGroup(booth, '怎么联系您')
    await eventually(() => field(booth, 'contact.mobile').innerText(), '■')
    await booth.shot('15-booth-error')
    await control(desk, 'contact.mobile').fill(CITIZEN.mobile)
    await control(desk, 'contact.mobile').blur()
    await expect.poll(() => field(booth, 'contact.mobile').locator('.error').count(), { timeout: WAIT_MS }).toBe(0)
  })

  step('the citizen confirms group by group, the deciding facts one by one', async () => {
    await control(desk, 'purpose.kind').selectOption('employment')
    await control(desk, 'period.kind').selectOption('all')
    await control(desk, 'contact.delivery').selectOption('electronic')
    await toGroup(booth, '您的身份')
    const titles = ['您的身份', '证明的用途', '查询的时间段', '怎么联系您', '请您本人回答']
    for (const title of titles) {
      await booth.see('form', title)
      await toGroup(booth, title)
      if (title === '请您本人回答') {
        await field(booth, 'statement.pending_case').getByRole('button', { name: /修改/ }).click()
        await control(booth, 'statement.pending_case').selectOption('no')
        await press(booth, '改好了')
      }
      await confirmGroup(booth, title)
    }
    await booth.shot('16-booth-confirmed')
  })

  step('a still of the camera goes along; the citizen signs by hand', async () => {
    await booth.click('photo')
    await booth.click('shoot')
    await booth.shot('17-booth-photo')
    await booth.click('photo-use')
    await eventually(() => booth.at('photo-panel').getByTestId('materials').innerText(), '现场')
    await booth.click('photo')
    await desk.click('ask-sign')
    await booth.see('sign-sheet')
    await booth.see('sign-content', CITIZEN.name)
    await write(booth)
    await booth.shot('18-booth-sign')
    await booth.at('signature').getByRole('button', { name: '签好了', exact: true }).click()
    await booth.see('signed')
    await eventually(() => desk.at('ask-sign').innerText(), '已签')
    await desk.shot('19-desk-signed')
  })

  step('the agent hands the case off: number and receipt on both sides', async () => {
    await desk.click('hand-off')
    await desk.shot('20-desk-hand-off')
    await desk.click('hand-off-now')
    const text = await (await desk.see('case-number', /\d{4}/)).innerText()
    caseNumber = /[0-9A-Z-]{8,}/.exec(text)?.[0] ?? ''
    expect(caseNumber).not.toBe('')
    await booth.see('handed-off', caseNumber)
    await booth.shot('21-booth-handed')
    await booth.click('finish')
    await booth.see('end-case', caseNumber)
    await booth.see('due')
    await booth.click('receipt')
    await booth.see('receipt-pdf')
    expect(await shownFile(booth.page)).toBe('%PDF')
    await booth.shot('22-booth-receipt')
    await booth.page.keyboard.press('Escape')
  })

  step('the phone takes the case along; the booth keeps nothing', async () => {
    const code = await (await booth.see('handover-qr')).getAttribute('data-url')
    await booth.shot('23-booth-end')
    phone = await openWindow(browser, server, 'phone', guard)
    await phone.page.goto(code ?? '')
    await phone.see('case-page')
    await phone.see('case-number', caseNumber)
    expect(phone.page.url()).not.toContain('#c=')
    await phone.shot('24-phone-case')
    await booth.click('wipe')
    await booth.see('wiped')
    expect(await liveTracks(booth.page)).toBe(0)
    await booth.see('idle')
    expect(await leftOn(booth)).toEqual({ local: 0, session: 0, cookies: '', caches: 0, databases: 0, tracks: 0 })
    expect(await booth.context.cookies()).toEqual([])
    await desk.see('wrap-up')
    await desk.shot('25-desk-wrap-up')
    await desk.click('wrap-done')
    await seatIs(desk, 'ready')
  })
})

/** A button of the paper by its words. */
async function press(window: Window, words: string): Promise<void> {
  await window.at('form').getByRole('button', { name: words, exact: true }).click()
}
/** Turns the pages of the paper to the group with this title. */
async function toGroup(window: Window, title: string): Promise<void> {
  const order = ['您的身份', '证明的用途', '查询的时间段', '怎么联系您', '请您本人回答']
  const heading = window.at('form').locator('.group h3')
  for (let turns = 0; turns < order.length * 2; turns += 1) {
    const now = order.indexOf((await heading.innerText()).trim())
    const step = Math.sign(order.indexOf(title) - now)
    if (step === 0) return
    await press(window, step > 0 ? '下一步' : '上一步')
    await eventually(() => heading.innerText(), order[now + step] ?? '')
  }
}
/** Each deciding fact, then the rest of the group, unless the facts were all that it has. */
async function confirmGroup(window: Window, title: string): Promise<void> {
  const form = window.at('form')
  const singles = form.getByRole('button', { name: /^这一项对/ })
  const all = form.getByRole('button', { name: '都对', exact: true })
  const isOver = (): Promise<boolean> =>
    form.evaluate((element, wanted) => {
      const [now] = element.querySelectorAll('.group .top')
      return !now?.textContent?.includes(wanted) || now.textContent.includes('已确认')
    }, title)
  for (let left = await singles.count(); left > 0; left -= 1) {
    await singles.first().click()
    await expect.poll(async () => (await isOver()) || (await singles.count()) < left, { timeout: WAIT_MS }).toBe(true)
  }
  if (await isOver()) return
  await all.click()
  await expect.poll(isOver, { timeout: WAIT_MS, message: `${title} is confirmed` }).toBe(true)
}
/** Two strokes on the signature box. */
async function write(window: Window): Promise<void> {
  const box = await window.at('signature').locator('canvas').boundingBox()
  if (!box) throw new Error('no signature box')
  const { mouse } = window.page
  for (const shift of [0.2, 0.5]) {
    await mouse.move(box.x + box.width * shift, box.y + box.height * 0.3)
    await mouse.down()
    for (let n = 1; n <= 12; n += 1) await mouse.move(box.x + box.width * (shift + n * 0.015), box.y + box.height * (0.3 + (n % 4) * 0.1))
    await mouse.up()
  }
}
async function leftOn(window: Window): Promise<Record<string, number | string>> {
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
