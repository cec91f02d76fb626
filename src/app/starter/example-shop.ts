// The example shop of examples/: started with the product so that its first agent has something to look up.
// The published package has no examples; there the starter does without.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkJson } from '../../base/json.ts'
import { importOpenApi } from '../../catalog/openapi.ts'
import type { ToolDefinition } from '../../contract/tool.ts'

export interface ExampleShop extends AsyncDisposable {
  readonly url: string
  /** For the outbound guard, which otherwise refuses this machine's own addresses. */
  readonly hostPort: string
  /** One for each operation. */
  readonly tools: readonly ToolDefinition[]
}

interface ShopServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
}

const SERVER = join(import.meta.dirname, '../../../examples/shop-api/server.ts')

/** Starts it on `port`, or on a free port where that is taken; undefined where the package has no examples. */
export async function startExampleShop(port: number): Promise<ExampleShop | undefined> {
  if (!existsSync(SERVER)) return undefined
  const { startShop } = (await import(pathToFileURL(SERVER).href)) as {
    startShop(port: number): Promise<ShopServer>
  }
  const server = await startShop(port).catch(() => startShop(0))
  try {
    const document: unknown = await (await fetch(`${server.url}/openapi.json`)).json()
    checkJson(document)
    return {
      url: server.url,
      hostPort: `127.0.0.1:${server.port}`,
      tools: importOpenApi(document).tools,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
}
