/**
 * A server and a booth host of the test's own, on free loopback ports and a fresh data directory, with the demo county.
 * Ends only the processes that it started.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../../..')
const bin = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug')

export const PASSWORD = 'Demo-2026-yunchuang'

export interface Running {
  /** `http://127.0.0.1:<port>` */
  url: string
  /** The booth host's device bridge. */
  bridge: string
  /** The enrolled booth's id. */
  booth: string
  data: string
  /** What the server has logged so far. */
  log(): string
  stop(): Promise<void>
}

export async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const s = createServer()
    s.once('error', fail)
    s.listen(0, '127.0.0.1', () => {
      const a = s.address()
      s.close(() => (a && typeof a === 'object' ? done(a.port) : fail(new Error('no port'))))
    })
  })
}

async function answers(url: string, child: ChildProcess, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${url}: the process ended with ${child.exitCode}`)
    try {
      if ((await fetch(url)).ok) return
    } catch {
      // Not yet.
    }
    if (Date.now() > end) throw new Error(`${url} did not answer within ${seconds} s`)
    await new Promise((r) => setTimeout(r, 100))
  }
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((r) => child.once('exit', () => r()))
  child.kill('SIGTERM')
  await gone
}

export async function startServer(env: Record<string, string> = {}): Promise<Running> {
  const data = mkdtempSync(join(tmpdir(), 'cloud-booth-e2e-'))
  const [port, bridgePort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}`
  const bridge = `http://127.0.0.1:${bridgePort}`
  let text = ''
  const collect = (c: ChildProcess) => {
    c.stdout?.on('data', (d: Buffer) => (text += d.toString()))
    c.stderr?.on('data', (d: Buffer) => (text += d.toString()))
  }
  const server = spawn(join(bin, 'cloud-booth'), ['serve', '--demo'], {
    cwd: root,
    env: {
      ...process.env,
      CLOUD_BOOTH_LISTEN: `127.0.0.1:${port}`,
      CLOUD_BOOTH_PUBLIC_URL: url,
      CLOUD_BOOTH_BRIDGE_URL: bridge,
      CLOUD_BOOTH_DATA_DIR: data,
      CLOUD_BOOTH_MEDIA__UDP_PORT: '0',
      ...env,
    },
  })
  collect(server)
  let host: ChildProcess | undefined
  const stop = async () => {
    if (host) await ended(host)
    await ended(server)
    rmSync(data, { recursive: true, force: true })
  }
  try {
    await answers(`${url}/readyz`, server, 60)
    const config = join(data, 'booths', 'booth-1.toml')
    const booth = /^booth = "(.+)"$/m.exec(readFileSync(config, 'utf8'))?.[1] ?? ''
    host = spawn(join(bin, 'booth'), ['serve', '--config', config, '--bind', `127.0.0.1:${bridgePort}`], { cwd: root })
    collect(host)
    await answers(`${bridge}/v1/status`, host, 20)
    return { url, bridge, booth, data, log: () => text, stop }
  } catch (e) {
    await stop()
    throw new Error(`${String(e)}\n${text}`)
  }
}
