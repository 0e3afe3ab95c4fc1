/** The frame that the pages of staff share: sign-in, areas, the refusal of another role; wide and narrow, light and dark, both languages. */
import { Guard, checkAccessibility, launch } from '@cloud-booth/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PASSWORD, type Running, startServer } from './server.ts'
import { openWindow, signIn } from './windows.ts'

let server: Running
let browser: Browser
const guard = new Guard({ allow: [/401 .*\/auth\/(refresh|login)/] })
beforeAll(async () => {
  server = await startServer()
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

it.each([
  { path: '/admin/', account: 'admin', other: 'agent1', area: 'area-queues', shown: 'overview', needed: '管理员' },
  { path: '/wall/', account: 'supervisor', other: 'reviewer1', area: 'area-live', shown: 'wall', needed: '班长' },
  { path: '/office/', account: 'reviewer1', other: 'admin', area: 'area-done', shown: 'count', needed: '审查' },
])('$path: signs in, refuses another role, keeps its areas on a phone', async ({ path, account, other, area, shown, needed }) => {
  const window = await openWindow(browser, server, 'console', guard)
  const name = path.replaceAll('/', '')
  await signIn(window, path, account === 'admin' ? 'admin2' : 'nobody')
  await window.see('sign-in-error')
  await checkAccessibility(window.page)

  await window.at('sign-in-account').fill(other)
  await window.at('sign-in-password').fill(PASSWORD)
  await window.click('sign-in-submit')
  await window.see('no-role', new RegExp(needed))
  expect(await window.page.getByTestId(area).count()).toBe(0)
  await window.shot(`117-${name}-no-role`)
  await window.click('sign-out')

  await window.at('sign-in-account').fill(account)
  await window.at('sign-in-password').fill(PASSWORD)
  await window.click('sign-in-submit')
  await window.see(shown)
  await window.see(area)
  expect(await window.page.locator('nav [aria-current="page"]').count()).toBeGreaterThan(0)
  await checkAccessibility(window.page)
  await window.shot(`118-${name}-wide`)
  await window.page.setViewportSize({ width: 390, height: 844 })
  const dark = window.page.getByRole('button', { name: '深色' })
  if (await dark.count()) await dark.click()
  await window.page.getByRole('button', { name: /English/ }).click()
  await checkAccessibility(window.page)
  await window.shot(`119-${name}-narrow`)
  expect(await window.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0)
  await window.click('sign-out')
  await window.see('sign-in')
  guard.assertClean()
  await window.context.close()
})
