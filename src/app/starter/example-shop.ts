// The example shop of examples/: started with the product so that its first agent has something to look up.
// The published package has no examples; there the starter does without.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkJson, isJsonObject, type Json } from '../../base/json.ts'
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

const SHOP_TITLE = 'Example bookshop'
const ANSWER_MS_MAX = 3_000
const SERVER = join(import.meta.dirname, '../../../examples/shop-api/server.ts')

/**
 * Starts it on `port`. Where another start has it running there, that one is used; where something else has the port, a
 * free one is taken. Undefined where the package has no examples.
 */
export async function startExampleShop(port: number): Promise<ExampleShop | undefined> {
  if (!existsSync(SERVER)) return undefined
  const { startShop } = (await import(pathToFileURL(SERVER).href)) as {
    startShop(port: number): Promise<ShopServer>
  }
  const server = await startShop(port).catch(async () => (await runningShop(port)) ?? startShop(0))
  try {
    const document = await documentOf(server.url)
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

/** The shop of another process, which that one stops. */
async function runningShop(port: number): Promise<ShopServer | undefined> {
  const url = `http://127.0.0.1:${port}`
  const document = await documentOf(url).catch(() => undefined)
  const info = isJsonObject(document) ? document.info : undefined
  if (!isJsonObject(info) || info.title !== SHOP_TITLE) return undefined
  return { url, port, [Symbol.asyncDispose]: () => Promise.resolve() }
}

async function documentOf(url: string): Promise<Json> {
  const response = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) })
  const document: unknown = await response.json()
  checkJson(document)
  return document
}
