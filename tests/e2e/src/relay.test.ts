/** Calls by the relay alone, through coturn with the shipped configuration; and whom that relay refuses. */
import { Guard, launch } from '@cloud-booth/testkit'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, hallOf, send } from './calls.ts'
import { type Relay, startRelay } from './relay.ts'
import { type Running, startServer } from './server.ts'
import { sessionOf } from './talk.ts'
import { TurnClient, password } from './turn.ts'
import { type Watched, hears, openWindow, seesMoving, signIn, startSeat } from './windows.ts'

interface Servers {
  ice_servers: { urls: string[]; username: string; credential: string }[]
  ttl_s: number
}

let relay: Relay
let server: Running
let browser: Browser
// Whoever comes to the wallboard without a sign-in is asked for one.
const guard = new Guard({ allow: [/401 .*\/auth\/refresh/] })
beforeAll(async () => {
  relay = await startRelay()
  server = await startServer(relay.env)
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
  await relay?.stop()
})

/** As what the connection of now goes out: every pair that carries something. */
async function ways(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const peer = (window as unknown as Watched).__peers.filter((one) => one.connectionState === 'connected').at(-1)
    const found: string[] = []
    const all = [...((await peer?.getStats()) ?? new Map()).values()] as Record<string, unknown>[]
    for (const pair of all)
      if (pair.type === 'candidate-pair' && Number(pair.bytesSent) > 0) found.push(String(all.find((one) => one.id === pair.localCandidateId)?.candidateType))
    return found
  })
}

async function given(): Promise<Servers['ice_servers'][number]> {
  const answer = await call(server, 'agent2', '/media/ice-servers')
  expect(answer.status).toBe(200)
  const one = (answer.body as unknown as Servers).ice_servers[0]
  if (!one) throw new Error('no relay in the answer')
  return one
}

async function allocated(at: Relay, username: string, credential: string): Promise<{ client: TurnClient; code: number }> {
  const client = await TurnClient.open(at.port)
  return { client, code: await client.allocate(username, credential) }
}

it('a call by the relay alone: picture and sound both ways', async () => {
  const desk = await openWindow(browser, server, 'console', guard)
  await signIn(desk, '/console/?relay=1', 'agent1')
  await startSeat(desk)
  const phone = await openWindow(browser, server, 'phone', guard)
  await phone.page.goto('/phone/?relay=1')
  await phone.click('call')
  await phone.click('check-start')
  await phone.click('queue')
  await desk.see('ring-card')
  await desk.click('accept')
  await phone.see('talk-view')
  await Promise.all([seesMoving(desk.at('citizen-video')), seesMoving(phone.at('agent-video'))])
  await hears(desk.at('citizen-video'))
  for (const { page } of [desk, phone]) {
    const found = await ways(page)
    expect(found.length, 'ways of the call').toBeGreaterThan(0)
    expect(new Set(found)).toEqual(new Set(['relay']))
  }
  // Who supervises goes the same way.
  const wall = await openWindow(browser, server, 'console', guard)
  await signIn(wall, '/wall/?relay=1#live', 'supervisor')
  await wall.click(`supervise-listen-${await sessionOf(desk)}`)
  await Promise.all([seesMoving(wall.at('sup-citizen')), seesMoving(wall.at('sup-agent'))])
  const gone = await ways(wall.page)
  expect(gone.length, 'ways of the supervisor').toBeGreaterThan(0)
  expect(new Set(gone)).toEqual(new Set(['relay']))
  // Even a log that tells of each allocation names nobody: not the visit, not the agent, not the supervisor.
  expect(relay.log().match(/ALLOCATE processed, success/g)?.length ?? 0).toBeGreaterThanOrEqual(3)
  expect(relay.log()).not.toMatch(/vis_|stf_|agent1|supervisor/)
  guard.assertClean()
})

describe('who may', () => {
  it('what the server gives opens an allocation, and its end and its caller stand in the name', async () => {
    const { username, credential } = await given()
    const [end, opaque] = username.split(':')
    expect(Number(end) - Date.now() / 1000).toBeGreaterThan(590)
    expect(Number(end) - Date.now() / 1000).toBeLessThan(601)
    expect(opaque).toMatch(/^[0-9a-f]{20}$/)
    const { client, code } = await allocated(relay, username, credential)
    expect(code).toBe(0)
    client.close()
  })

  it('a wrong password, another name, an end that was moved, and one that is past are refused', async () => {
    const { username, credential } = await given()
    const later = username.replace(/^\d+/, (end) => String(Number(end) + 3600))
    const past = `${Math.floor(Date.now() / 1000) - 5}:0123456789abcdef0123`
    for (const [name, word] of [[username, `${credential.startsWith('x') ? 'y' : 'x'}${credential.slice(1)}`], [`${username}0`, credential], [later, credential], [past, password(relay.secret, past)]] as const) {
      const { client, code } = await allocated(relay, name, word)
      expect(code, name).toBe(401)
      client.close()
    }
  })

  it('nobody without a token is given a call\'s credentials', async () => {
    expect((await send(server, null, '/media/ice-servers')).status).toBe(401)
    const answer = await fetch(`${server.url}/api/v1/media/check`)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(((await answer.json()) as Servers).ttl_s).toBe(60)
    const visit = await send(server, null, '/visits', { channel: 'phone', hall: await hallOf(server, 'agent2') })
    expect((await send(server, String(visit.body.access_token), '/media/ice-servers')).status).toBe(200)
  })
})

describe('to whom', () => {
  it('only the media server can be reached', async () => {
    const { username, credential } = await given()
    const { client } = await allocated(relay, username, credential)
    expect(await client.permission('127.0.0.1')).toBe(0)
    for (const ip of ['127.0.0.2', '10.0.0.1', '169.254.169.254', '8.8.8.8', '0.0.0.0']) {
      expect(await client.permission(ip), `permission for ${ip}`).toBe(403)
      expect(await client.channel(ip), `channel to ${ip}`).toBe(403)
    }
    client.close()
  })

  it('inner networks stay refused where the wider world is allowed', async () => {
    const open = await startRelay({ named_only: true })
    try {
      const name = `${Math.floor(Date.now() / 1000) + 60}:a`
      const { client, code } = await allocated(open, name, password(open.secret, name))
      expect(code).toBe(0)
      // The list refuses, not everything does.
      expect(await client.permission('8.8.8.8')).toBe(0)
      const inner = ['0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.100.100.200', '127.0.0.2', '127.255.255.254', '169.254.0.23', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.8', '192.0.2.1', '192.88.99.1', '192.168.1.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255']
      for (const ip of inner) expect(await client.permission(ip), `permission for ${ip}`).toBe(403)
      client.close()
    } finally {
      await open.stop()
    }
  })
})
