// The address of an operation's server: the first one named nearest to it.

import type { Json, JsonObject } from '../../base/json.ts'
import { isJsonObject } from '../../base/json.ts'
import { Unsupported } from './document.ts'

/** Of several lists of servers the first that has one decides. Throws `Unsupported` where no address comes out. */
export function serverUrl(lists: readonly (Json | undefined)[], baseUrl: string | undefined): string {
  const servers = lists.find((list): list is readonly Json[] => Array.isArray(list) && list.length > 0)
  const server = servers?.[0]
  const written =
    isJsonObject(server) && typeof server.url === 'string' ? withVariables(server.url, server) : ''
  const url = URL.parse(written, baseUrl)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new Unsupported('its server has no http or https address: give a base URL')
  }
  return url.href.replace(/\/+$/, '')
}

function withVariables(url: string, server: JsonObject): string {
  const variables = server.variables
  return url.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => {
    const variable = isJsonObject(variables) && Object.hasOwn(variables, name) ? variables[name] : undefined
    const value = isJsonObject(variable) ? variable.default : undefined
    if (typeof value !== 'string')
      throw new Unsupported(`its server's address has {${name}}, which has no default`)
    return value
  })
}
