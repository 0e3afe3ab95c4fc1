/** A home router between one window and the server's media port: it can be pulled out, and it can forget its table, so that the server
 * sees every client at another address. Signaling does not pass it. */
import { type RemoteInfo, type Socket, createSocket } from 'node:dgram'
import type { BrowserContext } from 'playwright-core'

const HERE = '127.0.0.1'

/** Packets of one way and the other. */
export interface Carried {
  to_server: number
  to_page: number
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  await new Promise<void>((done, fail) => {
    socket.once('error', fail)
    socket.bind(0, HERE, () => {
      socket.off('error', fail)
      done()
    })
  })
  // A port that nobody listens on any more answers with an error: a router drops on.
  socket.on('error', () => undefined)
  return socket
}

/** A port that is free for the server's media. */
export async function freeUdpPort(): Promise<number> {
  const socket = await bound()
  const { port } = socket.address()
  await new Promise<void>((done) => socket.close(() => done()))
  return port
}

export class Line {
  readonly #near: Socket
  readonly #server: number
  /** By the page's address: the socket by which the server knows it. */
  readonly #far = new Map<string, Socket>()
  #isUp = true
  /** Packets since the last change of the line. */
  #carried: Carried = { to_server: 0, to_page: 0 }

  private constructor(near: Socket, server: number) {
    this.#near = near
    this.#server = server
    near.on('message', (packet, from) => this.#toServer(packet, from))
  }

  static async before(server: number): Promise<Line> {
    return new Line(await bound(), server)
  }

  get carried(): Carried {
    return { ...this.#carried }
  }

  /** The pages of this context reach the media port by this line alone. Before their first page is opened. */
  async lead(context: BrowserContext): Promise<void> {
    await context.addInitScript(goBy, this.#near.address().port)
  }

  down(): void {
    this.#isUp = false
    this.#carried = { to_server: 0, to_page: 0 }
  }

  up(): void {
    this.#isUp = true
  }

  /** Every client has another address towards the server from now on; what comes to the old one is lost. */
  move(): number {
    const moved = this.#far.size
    for (const far of this.#far.values()) far.close()
    this.#far.clear()
    this.#carried = { to_server: 0, to_page: 0 }
    return moved
  }

  close(): void {
    this.move()
    this.#near.close()
  }

  #toServer(packet: Buffer, page: RemoteInfo): void {
    if (!this.#isUp) return
    this.#carried.to_server += 1
    this.#farOf(page).send(packet, this.#server, HERE)
  }

  #farOf(page: RemoteInfo): Socket {
    const key = `${page.address}:${page.port}`
    const known = this.#far.get(key)
    if (known) return known
    const far = createSocket('udp4')
    far.on('error', () => undefined)
    far.on('message', (packet) => {
      if (!this.#isUp) return
      this.#carried.to_page += 1
      this.#near.send(packet, page.port, page.address)
    })
    this.#far.set(key, far)
    return far
  }
}

/** In the page: candidates of answers lead to this port, and there is no way by TCP beside it. An answer without a way by UDP, which
 * the check of the ways asks for, stays as it is. */
function goBy(port: number): void {
  const proto = RTCPeerConnection.prototype
  type Apply = (this: RTCPeerConnection, description: RTCSessionDescriptionInit) => Promise<void>
  const set = proto.setRemoteDescription as Apply
  const way = (line: string): string[] => {
    if (!line.startsWith('a=candidate:')) return [line]
    const words = line.split(' ')
    if (words[2]?.toLowerCase() !== 'udp') return []
    return [words.with(4, '127.0.0.1').with(5, String(port)).join(' ')]
  }
  proto.setRemoteDescription = function led(this: RTCPeerConnection, description: RTCSessionDescriptionInit): Promise<void> {
    const { type, sdp = '' } = description
    const isLed = /^a=candidate:\S+ \S+ udp /im.test(sdp)
    return set.call(this, { type, sdp: isLed ? sdp.split('\r\n').flatMap(way).join('\r\n') : sdp })
  }
}
