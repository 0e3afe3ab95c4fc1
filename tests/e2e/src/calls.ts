/** Calls of the HTTP interface, for what no page offers: the attempt that must be refused, and the fast way to a state. */
import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { PASSWORD, type Running } from './server.ts'

export interface Answer {
  status: number
  // Each test reads what it needs of it.
  body: Record<string, unknown>
}

export async function send(server: Running, token: string | null, path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<Answer> {
  const answer = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

const tokens = new Map<string, string>()

async function tokenOf(server: Running, account: string): Promise<string> {
  const key = `${server.url} ${account}`
  const known = tokens.get(key)
  if (known) return known
  const answer = await send(server, null, '/auth/login', { account, password: PASSWORD })
  expect(answer.status).toBe(200)
  const token = String(answer.body.access_token)
  tokens.set(key, token)
  return token
}

/** As a member of staff. */
export async function call(server: Running, account: string, path: string, body?: unknown): Promise<Answer> {
  return send(server, await tokenOf(server, account), path, body)
}

/** A case by its number, in the eyes of a reviewer. */
export async function caseOf(server: Running, account: string, number: string): Promise<{ id: string; version: number }> {
  const list = await call(server, account, '/cases?queue=review')
  const found = (list.body.items as { id: string; number: string; version: number }[]).find((one) => one.number === number)
  if (!found) throw new Error(`no case ${number} in the work list`)
  return found
}

/** As a member of staff. */
export async function put(server: Running, account: string, path: string, body: unknown): Promise<Answer> {
  return send(server, await tokenOf(server, account), path, body, 'PUT')
}

/** The hall where somebody works. */
export async function hallOf(server: Running, account: string): Promise<string> {
  return String((await call(server, account, '/me')).body.hall)
}
