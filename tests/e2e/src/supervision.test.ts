/** A supervisor listens, whispers, barges in and takes over: who hears whom, who is told, and that the form stays. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { deskHasRecipient, fillRecipient, hearsPeople, paperHasRecipient, sessionOf, talkByPhone } from './talk.ts'
import { type Window, WAIT_MS, liveTracks, openWindow, say, seatIs, seesMoving, signIn, takeSeat } from './windows.ts'

const RECIPIENT = '沅江市第五小学'
const NOTICE = '通话可能被旁听以保证服务质量'

let server: Running
let browser: Browser
// Whoever comes to the wallboard without a sign-in is asked for one: that answer is no fault.
const guard = new Guard({ allow: [/401 .*\/auth\/refresh/, /409 .*\/supervision/] })
beforeAll(async () => {
  server = await startServer()
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** The button of one session: others may still be ending. */
async function press(wall: Window, mode: string, session: string): Promise<void> {
  await wall.click(`supervise-${mode}-${session}`)
}

it('listens unheard, whispers to the agent alone, barges in, takes over with the form', async () => {
  const phone = await openWindow(browser, server, 'phone', guard)
  const desk = await openWindow(browser, server, 'console', guard)
  const wall = await openWindow(browser, server, 'console', guard)
  const own = await openWindow(browser, server, 'console', guard)
  await takeSeat(desk, 'agent1')
  await talkByPhone(phone, desk)
  const session = await sessionOf(desk)
  // Every call begins with the notice.
  await phone.see('supervision-notice', NOTICE)
  await fillRecipient(desk, RECIPIENT)

  await signIn(wall, '/wall/#live', 'supervisor')
  await press(wall, 'listen', session)
  await wall.see('sup-hears', '没有人听到您')
  await seesMoving(wall.at('sup-citizen'))
  await seesMoving(wall.at('sup-agent'))
  await hearsPeople(wall.page, 2)
  await wall.see('sup-form', RECIPIENT)
  await desk.see('supervision-now', '正在旁听')
  await phone.gone('supervision-now')
  await Promise.all([hearsPeople(desk.page, 1), hearsPeople(phone.page, 1)])
  await checkAccessibility(wall.page)
  await wall.shot('100-wall-listen')
  await desk.shot('101-desk-listened')

  await wall.click('sup-mode-whisper')
  await wall.see('sup-hears', '只有坐席能听到您')
  await desk.see('supervision-now', '只有您听得到')
  await hearsPeople(desk.page, 2)
  await hearsPeople(phone.page, 1)
  await phone.gone('supervision-now')
  await wall.at('sup-note').fill('请核对身份证号')
  await wall.click('sup-note-send')
  await desk.page.getByText('请核对身份证号').first().waitFor()
  await phone.shot('102-phone-whisper')

  await wall.click('sup-mode-barge')
  await phone.see('supervision-now', '杨帆')
  await Promise.all([hearsPeople(desk.page, 2), hearsPeople(phone.page, 2)])
  await phone.shot('103-phone-barge')

  // The picture is for coming into the call: with the step back to whispering the camera is closed, the voice goes on.
  await wall.click('sup-camera')
  await expect.poll(() => liveTracks(wall.page), { timeout: WAIT_MS }).toBe(2)
  await wall.shot('103-wall-camera')
  await wall.click('sup-mode-whisper')
  await expect.poll(() => liveTracks(wall.page), { timeout: WAIT_MS }).toBe(1)
  await wall.see('sup-hears', '只有坐席能听到您')
  await Promise.all([hearsPeople(desk.page, 2), hearsPeople(phone.page, 1)])
  await wall.click('sup-mode-barge')
  await phone.see('supervision-now', '杨帆')
  await wall.see('sup-camera', '开画面')
  expect(await liveTracks(wall.page)).toBe(1)

  // Without a seat of one's own nothing moves.
  await wall.click('sup-take-over')
  await wall.click('act-do')
  await wall.see('act-error', '坐席')
  await wall.click('act-cancel')
  await takeSeat(own, 'supervisor')
  await wall.click('sup-take-over')
  await wall.shot('104-wall-take-over')
  await wall.click('act-do')
  await seatIs(own, 'busy')
  await seatIs(desk, 'wrap_up')
  expect(await sessionOf(own)).toBe(session)
  await wall.see('sup-over', '通话已转到您的坐席')
  await deskHasRecipient(own, RECIPIENT)
  await seesMoving(phone.at('agent-video'))
  await Promise.all([hearsPeople(own.page, 1), hearsPeople(phone.page, 1)])
  await phone.gone('supervision-now')
  await paperHasRecipient(phone, RECIPIENT)
  await own.click('panel-4')
  await say(own, 'chat', '您好，我是杨帆，我接着办')
  await own.shot('105-desk-taken-over')
  guard.assertClean()
  await Promise.all([phone, desk, wall, own].map((window) => window.context.close()))
}, 4 * WAIT_MS)

it('a closed page lets go of the call, which goes on', async () => {
  const phone = await openWindow(browser, server, 'phone', guard)
  const desk = await openWindow(browser, server, 'console', guard)
  const wall = await openWindow(browser, server, 'console', guard)
  await takeSeat(desk, 'agent2')
  await talkByPhone(phone, desk)
  const session = await sessionOf(desk)
  await signIn(wall, '/wall/#live', 'supervisor')
  await press(wall, 'listen', session)
  await desk.see('supervision-now', '杨帆')
  // Back after a reload: the same row goes on where it was.
  await wall.page.reload()
  await press(wall, 'listen', session)
  await wall.see('sup-hears', '没有人听到您')
  await seesMoving(wall.at('sup-citizen'))
  await wall.click('sup-leave')
  await wall.see('sup-over', '您已离开通话')
  await desk.gone('supervision-now')
  await seesMoving(phone.at('agent-video'))
  guard.assertClean()
  await Promise.all([phone, desk, wall].map((window) => window.context.close()))
})
