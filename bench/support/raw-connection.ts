// A keep-alive connection that sends the same request again and again: as little work as a client can do, so that
// it is the server that is measured. It understands answers that say their length, which is all that it is sent.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawConnection {
  /** Sends the request once; throws where the answer is not a 200 with so many bytes. */
  get(): Promise<void>
  close(): void
}

export interface RawRequest {
  readonly url: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Of the answer's body. */
  readonly bytes: number
}

const HEAD_END = Buffer.from('\r\n\r\n')
const OK = 'HTTP/1.1 200 '

export async function openRawConnection(request: RawRequest): Promise<RawConnection> {
  const { hostname, port, host } = new URL(request.url)
  const fields = Object.entries({ host, ...request.headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const text = Buffer.from(`GET ${request.path} HTTP/1.1\r\n${fields.join('')}\r\n`)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  await once(socket, 'connect')
  let answered = Promise.withResolvers<void>()
  readAnswers(socket, request.bytes, (error) => (error ? answered.reject(error) : answered.resolve()))
  return {
    get: () => {
      answered = Promise.withResolvers()
      socket.write(text)
      return answered.promise
    },
    close: () => void socket.destroy(),
  }
}

function readAnswers(socket: Socket, bytes: number, done: (error?: Error) => void): void {
  let received: Buffer | undefined
  socket.on('data', (chunk: Buffer) => {
    received = received ? Buffer.concat([received, chunk]) : chunk
    const head = received.indexOf(HEAD_END)
    if (head < 0 || received.length < head + HEAD_END.length + bytes) return
    const isRight =
      received.length === head + HEAD_END.length + bytes && received.toString('latin1', 0, OK.length) === OK
    const first = isRight
      ? undefined
      : new Error(`Not the expected answer: ${received.toString('latin1', 0, 500)}`)
    received = undefined
    done(first)
  })
  socket.on('error', done)
  socket.on('close', () => done(new Error('The server closed the connection.')))
}
