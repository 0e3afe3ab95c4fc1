/** The wallboard moves by events alone; a supervisor puts a seat away and writes to it. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Running, startServer } from './server.ts'
import { hallOf } from './calls.ts'
import { seatIn } from './talk.ts'
import { type Window, WAIT_MS, chooseState, openBooth, openWindow, seatIs, signIn, takeSeat } from './windows.ts'

const NOTICE = '请先接社保的号'

/** The large number of one figure, above its target. */
async function figureIs(wall: Window, id: string, value: string): Promise<void> {
  await wall.see(`figure-${id}`, new RegExp(`\\n${value}\\n目标`))
}

let server: Running
let browser: Browser
// Whoever comes to the wallboard without a sign-in is asked for one: that answer is no fault.
const guard = new Guard({ allow: [/401 .*\/auth\/refresh/] })
beforeAll(async () => {
  server = await startServer()
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

it('a ticket taken and answered is seen without a reload; a seat is forced away and told why', async () => {
  const wall = await openWindow(browser, server, 'console', guard)
  const desk = await openWindow(browser, server, 'console', guard)
  const booth = await openWindow(browser, server, 'booth', guard)
  await signIn(wall, '/wall/', 'supervisor')
  await wall.see('wall')
  await figureIs(wall, 'waiting', '0')
  await figureIs(wall, 'duty', '0')
  await takeSeat(desk, 'agent1')
  await figureIs(wall, 'duty', '1')
  const seat = await seatIn(server, 'ready')
  await chooseState(desk, 'go-away-break')
  await seatIs(desk, 'away')
  await wall.see(`seat-${seat}`, '暂离')

  // From here on the figures come by themselves.
  const asked: string[] = []
  wall.page.on('request', (request) => asked.push(new URL(request.url()).pathname))
  await openBooth(booth, server)
  await booth.click('call')
  await booth.click('item-unsure')
  await booth.click('call-now')
  await booth.see('wait-waiting')
  await figureIs(wall, 'waiting', '1')
  await wall.see('queue-general', /综合服务\s+1/)
  await wall.shot('97-wall-waiting')
  await desk.click('ready')
  await desk.see('ring-card')
  await desk.click('accept')
  await seatIs(desk, 'busy')
  await wall.see(`seat-${seat}`, '通话中')
  await figureIs(wall, 'waiting', '0')
  await wall.see('figure-connection', /1\/1/)
  await wall.shot('98-wall-answered')
  await checkAccessibility(wall.page)
  expect(asked.filter((path) => path.startsWith('/api/'))).toEqual([])

  // The supervisor's view: the seat is in a session, so the word is kept until it is over.
  await wall.click('area-live')
  await wall.see('live-seats')
  await checkAccessibility(wall.page)
  await wall.click(`notice-${seat}`)
  await wall.at('field-text').fill(NOTICE)
  await wall.click('act-do')
  await wall.gone('act-sheet')
  await desk.see('notice', NOTICE)
  await desk.see('notice', '杨帆')
  await wall.click(`force-${seat}`)
  await wall.at('force-away').check()
  await wall.at('field-reason').selectOption('meeting')
  await wall.shot('99-wall-force')
  await wall.click('act-do')
  await wall.gone('act-sheet')
  await desk.see('forced', '杨帆')
  await seatIs(desk, 'busy')
  await desk.shot('100-desk-forced')
  await booth.click('end')
  await booth.click('hang-up')
  await desk.click('wrap-done')
  await seatIs(desk, 'away')
  await wall.see(`live-seat-${seat}`, '会议')
  guard.assertClean()
})

it('a seat that holds texts alone says so, and how many', async () => {
  const desk = await openWindow(browser, server, 'console', guard)
  await signIn(desk, '/console/', 'agent2')
  await desk.see('seat-choice')
  await desk.at('take-text').check()
  await desk.click('ring-test')
  await expect.poll(() => desk.at('seat-start').isEnabled(), { timeout: WAIT_MS }).toBe(true)
  await desk.click('seat-start')
  await seatIs(desk, 'ready')
  const seat = await seatIn(server, 'ready')
  const wall = await openWindow(browser, server, 'console', guard)
  await signIn(wall, '/wall/', 'supervisor')
  await wall.see(`seat-${seat}`, '就绪')

  const hall = await hallOf(server, 'agent2')
  const phone = await openWindow(browser, server, 'phone', guard)
  await phone.context.addInitScript((id) => localStorage.setItem('cloud-booth.hall', JSON.stringify(id)), hall)
  await phone.page.goto('/phone/')
  await phone.click('call')
  await phone.at('pick-text').check({ force: true })
  await phone.click('queue')
  await desk.see('ring-card')
  await desk.page.keyboard.press('F2')
  await phone.see('talk-view')
  await wall.see(`seat-${seat}`, /文字咨询\s*1个/)
  await wall.shot('101-wall-texts')
  await checkAccessibility(wall.page)
  await wall.click('area-live')
  await wall.see(`live-seat-${seat}`, /文字咨询\s*1个/)
  guard.assertClean()
})
