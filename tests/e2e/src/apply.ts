/** The short way from a swiped card to a handed-in certificate of no criminal record, through the pages, without looking left or right. */
import { confirmGroup, control, field, press, toGroup, write } from './paper.ts'
import type { Running } from './server.ts'
import { type Window, openBooth, seatIs, swipe, takeSeat } from './windows.ts'

const ITEM = 'no-criminal-record'
const IDENTITY_CARD = '11100000000013338W011'

/** The citizen calls from the booth with their card, the agent answers, both are in the session. */
export async function talk(server: Running, booth: Window, desk: Window, person: string, account: string): Promise<void> {
  await openBooth(booth, server)
  await takeSeat(desk, account)
  await swipe(server, person)
  await booth.click(`item-${ITEM}`)
  await booth.click('call-now')
  await desk.see('ring-card')
  await desk.page.keyboard.press('F2')
  await seatIs(desk, 'busy')
  await booth.see('session-active')
}

/** Fills, confirms, signs and hands in; ends the call. Gives the case's number and the address behind the booth's QR code. */
export async function handIn(booth: Window, desk: Window, person: { mobile: string; recipient: string }): Promise<{ number: string; code: string }> {
  await desk.click(`open-form-${ITEM}`)
  await desk.click('panel-2')
  await desk.click(`ask-consent-${IDENTITY_CARD}`)
  await booth.at('consent-sheet').getByRole('button', { name: '同意取用', exact: true }).click()
  await desk.page.locator('[data-testid^="consent-"][data-outcome="filled"]').waitFor()
  for (const [path, value] of [['purpose.recipient', person.recipient], ['contact.mobile', person.mobile]] as const) {
    await control(desk, path).fill(value)
    await control(desk, path).blur()
  }
  for (const [path, value] of [['purpose.kind', 'employment'], ['period.kind', 'all'], ['contact.delivery', 'electronic']] as const) await control(desk, path).selectOption(value)
  await toGroup(booth, '请您本人回答')
  await field(booth, 'statement.pending_case').getByRole('button', { name: /修改/ }).click()
  await control(booth, 'statement.pending_case').selectOption('no')
  await press(booth, '改好了')
  for (const title of ['您的身份', '证明的用途', '查询的时间段', '怎么联系您', '请您本人回答']) {
    await toGroup(booth, title)
    await confirmGroup(booth, title)
  }
  await desk.click('ask-sign')
  await booth.see('sign-sheet')
  await write(booth)
  await booth.at('signature').getByRole('button', { name: '签好了', exact: true }).click()
  await booth.see('signed')
  await desk.click('hand-off')
  await desk.click('hand-off-now')
  await booth.click('finish')
  await booth.see('end-case')
  const number = (await booth.at('case-number').innerText()).trim()
  const code = (await (await booth.see('handover-qr')).getAttribute('data-url')) ?? ''
  return { number, code }
}
