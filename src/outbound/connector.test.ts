// The connector by itself: it does not rely on what was checked before it is asked.

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { it } from 'node:test'
import { isAppError } from '../base/errors.ts'
import { createGuardedConnector } from './connector.ts'
import { listen } from './test-server.ts'

it('a connection that ends at a private address is given to nobody, however it got there', async () => {
  await using server = await listen((_request, response) => response.end())
  const connect = (isExempt: boolean): Promise<Socket> => {
    const connector = createGuardedConnector(
      async () => [{ address: '127.0.0.1', family: 4 }],
      () => isExempt,
      1_000,
    )
    // An address needs no resolver, so that only the connected socket tells where it leads.
    const target = { hostname: '127.0.0.1', protocol: 'http:', port: String(server.port) }
    return new Promise((resolve, reject) => {
      connector(target, (error, socket) => (error === null ? resolve(socket) : reject(error)))
    })
  }
  await assert.rejects(connect(false), (error) => isAppError(error, 'outbound.refused'))
  ;(await connect(true)).destroy()
})
