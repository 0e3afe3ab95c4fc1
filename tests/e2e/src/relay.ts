/** coturn on loopback with the configuration that `deploy/coturn` ships; only ports, the media server on loopback, and a log that
 * tells of each request are the test's: as shipped, it tells of none. */
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ended, freePort } from './server.ts'
import { TurnClient } from './turn.ts'

const root = resolve(import.meta.dirname, '../../..')
/** Where `tools/packages` unpacks Debian's coturn, so that no system service is installed. */
const unpacked = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'coturn', 'tree')
const START_MS = 15_000

export interface Relay {
  port: number
  secret: string
  /** For the server's environment. */
  env: Record<string, string>
  log(): string
  stop(): Promise<void>
}

/** The addresses to which peers are refused, beside the line that refuses everybody. */
const NOBODY_ELSE = /^denied-peer-ip=(0\.0\.0\.0-255\.255\.255\.255|::-ffff:[f:]+)$/

export interface RelayOptions {
  /** Leaves the line out that refuses everybody, so that the named networks are what refuses. */
  named_only?: boolean
}

export async function startRelay({ named_only = false }: RelayOptions = {}): Promise<Relay> {
  const dir = mkdtempSync(join(tmpdir(), 'cloud-booth-relay-'))
  const secret = randomBytes(30).toString('base64')
  const secretFile = join(dir, 'secret')
  writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 })
  const shipped = execFileSync(join(root, 'deploy/coturn/configure'), ['--realm', 'relay.example', '--listen', '127.0.0.1', '--media', '127.0.0.1', '--secret-file', secretFile], { encoding: 'utf8' })
  const port = await freePort()
  const first = 30_000 + Math.floor(Math.random() * 100) * 256
  const lines = shipped.split('\n').filter((line) => !(named_only && NOBODY_ELSE.test(line)))
  const own = [`listening-port=${port}`, `min-port=${first}`, `max-port=${first + 255}`, 'allow-loopback-peers', 'verbose', `pidfile=${join(dir, 'pid')}`, `userdb=${join(dir, 'db')}`]
  const config = join(dir, 'turnserver.conf')
  writeFileSync(config, [...lines, ...own, ''].join('\n'), { mode: 0o600 })
  const isUnpacked = existsSync(join(unpacked, 'usr/bin/turnserver'))
  const libraries = join(unpacked, 'usr/lib', process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu')
  const child = spawn(isUnpacked ? join(unpacked, 'usr/bin/turnserver') : 'turnserver', ['-c', config], {
    cwd: dir,
    env: { ...process.env, ...(isUnpacked ? { LD_LIBRARY_PATH: libraries } : {}) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const fault: { error?: Error } = {}
  child.on('error', (error) => (fault.error = error))
  child.stdout.on('data', (d: Buffer) => (text += d.toString()))
  child.stderr.on('data', (d: Buffer) => (text += d.toString()))
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined) await ended(child)
    rmSync(dir, { recursive: true, force: true })
  }
  const end = Date.now() + START_MS
  for (;;) {
    const client = await TurnClient.open(port)
    const code = await client.hello().catch(() => 0)
    client.close()
    if (code === 401) break
    if (fault.error || child.exitCode !== null || Date.now() > end) {
      await stop()
      throw new Error(`coturn (tools/packages fetches it) did not start: ${fault.error?.message ?? ''}\n${text}`)
    }
  }
  return {
    port, secret, log: () => text, stop,
    env: { CLOUD_BOOTH_MEDIA__TURN__URLS: JSON.stringify([`turn:127.0.0.1:${port}?transport=udp`]), CLOUD_BOOTH_MEDIA__TURN__SECRET: secret },
  }
}
