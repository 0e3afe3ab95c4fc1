/**
 * As much of a TURN client (RFC 8656 over UDP) as a test of a relay needs: allocate with long-term credentials, ask for a peer.
 * Written from the RFCs, so that it is another opinion than the browser's and coturn's own tools.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { type Socket, createSocket } from 'node:dgram'

const COOKIE = 0x2112a442
const ANSWER_MS = 3_000
const Method = { allocate: 3, permission: 8, channel: 9 } as const
const Attr = { username: 0x06, integrity: 0x08, error: 0x09, channel: 0x0c, peer: 0x12, realm: 0x14, nonce: 0x15, transport: 0x19 } as const

/** The password of coturn's REST scheme. */
export function password(secret: string, username: string): string {
  return createHmac('sha1', secret).update(username).digest('base64')
}

function attribute(kind: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(kind, 0)
  head.writeUInt16BE(value.length, 2)
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)])
}

/** XOR-PEER-ADDRESS, IPv4. */
function peer(ip: string): Buffer {
  const value = Buffer.alloc(8)
  value.writeUInt8(1, 1)
  value.writeUInt16BE(9 ^ (COOKIE >>> 16), 2)
  const address = ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  value.writeUInt32BE((address ^ COOKIE) >>> 0, 4)
  return attribute(Attr.peer, value)
}

function message(method: number, attributes: Buffer[], key?: Buffer): Buffer {
  const id = randomBytes(12)
  const body = Buffer.concat(attributes)
  const head = (length: number): Buffer => {
    const h = Buffer.alloc(8)
    h.writeUInt16BE(method, 0)
    h.writeUInt16BE(length, 2)
    h.writeUInt32BE(COOKIE, 4)
    return Buffer.concat([h, id])
  }
  if (!key) return Buffer.concat([head(body.length), body])
  // The length counts the attribute that is computed (RFC 8489 §14.5).
  const mac = createHmac('sha1', key).update(Buffer.concat([head(body.length + 24), body])).digest()
  return Buffer.concat([head(body.length + 24), body, attribute(Attr.integrity, mac)])
}

interface Reply {
  /** 0: success. */
  code: number
  of(kind: number): Buffer
}

function read(data: Buffer): Reply {
  const found = new Map<number, Buffer>()
  const end = 20 + data.readUInt16BE(2)
  for (let at = 20; at < end; ) {
    const length = data.readUInt16BE(at + 2)
    const kind = data.readUInt16BE(at)
    if (!found.has(kind)) found.set(kind, data.subarray(at + 4, at + 4 + length))
    at += 4 + length + ((4 - (length % 4)) % 4)
  }
  const error = found.get(Attr.error)
  return { code: error ? (error[2] ?? 0) * 100 + (error[3] ?? 0) : 0, of: (kind) => found.get(kind) ?? Buffer.alloc(0) }
}

export class TurnClient {
  readonly #socket: Socket
  readonly #port: number
  #key: Buffer | undefined
  #auth: Buffer[] = []
  #channel = 0x4000

  private constructor(socket: Socket, port: number) {
    this.#socket = socket
    this.#port = port
  }

  static async open(port: number): Promise<TurnClient> {
    const socket = createSocket('udp4')
    await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done))
    return new TurnClient(socket, port)
  }

  /** Without a word of who asks: 401 from a relay that is up. */
  async hello(): Promise<number> {
    return (await this.#ask(Method.allocate, [this.#transport()])).code
  }

  /** 0, or the relay's error code. */
  async allocate(username: string, credential: string): Promise<number> {
    const first = await this.#ask(Method.allocate, [this.#transport()])
    if (first.code !== 401) return first.code
    const realm = first.of(Attr.realm)
    this.#key = createHash('md5').update(Buffer.concat([Buffer.from(`${username}:`), realm, Buffer.from(`:${credential}`)])).digest()
    this.#auth = [attribute(Attr.username, Buffer.from(username)), attribute(Attr.realm, realm), attribute(Attr.nonce, first.of(Attr.nonce))]
    return (await this.#ask(Method.allocate, [this.#transport(), ...this.#auth])).code
  }

  /** CreatePermission: 0, or the relay's error code. Nothing is sent to the peer. */
  async permission(ip: string): Promise<number> {
    return (await this.#ask(Method.permission, [peer(ip), ...this.#auth])).code
  }

  /** ChannelBind, the other door to a peer. */
  async channel(ip: string): Promise<number> {
    const number = Buffer.alloc(4)
    number.writeUInt16BE((this.#channel += 1), 0)
    return (await this.#ask(Method.channel, [attribute(Attr.channel, number), peer(ip), ...this.#auth])).code
  }

  close(): void {
    this.#socket.close()
  }

  #transport(): Buffer {
    return attribute(Attr.transport, Buffer.from([17, 0, 0, 0]))
  }

  #ask(method: number, attributes: Buffer[]): Promise<Reply> {
    const sent = message(method, attributes, this.#key)
    return new Promise((done, fail) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#socket.off('message', take)
      }
      const take = (data: Buffer): void => {
        // Another request's late answer.
        if (data.length < 20 || !data.subarray(8, 20).equals(sent.subarray(8, 20))) return
        end()
        done(read(data))
      }
      const timer = setTimeout(() => {
        end()
        fail(new Error('the relay does not answer'))
      }, ANSWER_MS)
      this.#socket.on('message', take)
      this.#socket.send(sent, this.#port, '127.0.0.1')
    })
  }
}
