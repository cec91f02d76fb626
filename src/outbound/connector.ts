// Opens the sockets of outbound requests: resolves a name once, checks every address, connects to exactly those.

import { lookup as dnsLookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { isPublicAddress } from './address.ts'
import { refused } from './outbound-url.ts'

export interface ResolvedAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>

/** The names of the system's resolver, the hosts file included. */
export const systemResolve: Resolve = async (hostname) => {
  const found = await dnsLookup(hostname, { all: true, order: 'verbatim' })
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
}

/**
 * A connector for undici. The addresses that were checked are the ones that the socket gets, so there is no
 * moment in which a second answer of the name server could be used (DNS rebinding); the connected socket's
 * address is checked once more. `isExempt` names the `host:port` pairs that an operator has allowed.
 * One bad address among good ones refuses the name.
 */
export function createGuardedConnector(
  resolve: Resolve,
  isExempt: (hostAndPort: string) => boolean,
  connectTimeoutMs: number,
): buildConnector.connector {
  const options = { allowH2: false, timeout: connectTimeoutMs, port: 0 }
  const guarded = buildConnector({ ...options, lookup: createLookup(resolve, isPublicAddress) })
  const exempt = buildConnector({ ...options, lookup: createLookup(resolve, () => true) })
  return (target, callback) => {
    const port = target.port === '' ? (target.protocol === 'https:' ? '443' : '80') : target.port
    const host = target.hostname.replace(/\.$/, '')
    if (isExempt(`${host}:${port}`) || isExempt(`[${host}]:${port}`)) {
      exempt(target, callback)
      return
    }
    guarded(target, (error, socket) => {
      if (error !== null) {
        callback(error, null)
      } else if (socket.remoteAddress === undefined || !isPublicAddress(socket.remoteAddress)) {
        socket.destroy()
        callback(notPublic(target.hostname), null)
      } else {
        callback(null, socket)
      }
    })
  }
}

function createLookup(resolve: Resolve, isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (found) => {
        const [first] = found
        if (first === undefined) {
          callback(Object.assign(new Error('The name has no address.'), { code: 'ENOTFOUND' }), '', 4)
        } else if (!found.every(({ address }) => isAllowed(address))) {
          callback(notPublic(hostname), '', 4)
        } else if (options.all === true) {
          callback(null, [...found])
        } else {
          callback(null, first.address, first.family)
        }
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), '', 4),
    )
  }
}

function notPublic(hostname: string): Error {
  return refused(hostname, 'the name leads to an address that is not on the public internet')
}
