// The product as it is wired, on a data folder of its own, with scripted models and the host's tools.

import { type App, compose } from '../../src/app/compose.ts'
import { EMPTY_PROJECT } from '../../src/app/host-code.ts'
import { readSettings } from '../../src/app/settings.ts'
import type { AgentDefinition } from '../../src/contract/agent.ts'
import type { Principal } from '../../src/contract/principal.ts'
import type { CodeTool } from '../../src/define/code-tool.ts'
import type { ModelProvider } from '../../src/models/model.ts'

export interface PlatformOptions {
  readonly folder: string
  /** SQLite in the data folder unless it says otherwise. */
  readonly databaseUrl?: string | undefined
  /** Of the admin, where another process has made it in the same database. Default: it is made here. */
  readonly key?: string | undefined
  /** How many runs it does at a time. Default: as many as the product. */
  readonly concurrency?: number | undefined
  readonly model: ModelProvider
  readonly tools: readonly CodeTool[]
}

export interface Platform {
  readonly app: App
  readonly admin: Principal
  readonly key: string
  /** Publishes an agent with these tools on the scripted model; answers its id. */
  publish(definition: Pick<AgentDefinition, 'name' | 'instructions' | 'limits'>): Promise<string>
}

/** Opens it with the settings of a server: lines of JSON in the log, and nothing from this process's environment. */
export async function openPlatform(options: PlatformOptions): Promise<Platform> {
  const { folder, databaseUrl, model, tools } = options
  const settings = readSettings({
    DEPLOYMENT_TYPE: 'DOCKER_MONOLITH',
    HOST: '127.0.0.1',
    PORT: '0',
    AGENT_FACTORY_DATA_DIR: folder,
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    ...(options.concurrency === undefined ? {} : { WORKER_CONCURRENCY: String(options.concurrency) }),
  })
  const app = await compose(settings, { models: [model], host: { ...EMPTY_PROJECT, codeTools: tools } })
  const key = options.key ?? (await firstKey(app))
  const admin = await app.identity.authenticateKey(key)
  return {
    app,
    admin,
    key,
    publish: async (definition) => {
      const names = tools.map((tool) => tool.definition.name)
      const whole = { ...definition, model: `${model.name}/test`, tools: names }
      const context = { requestId: undefined }
      const { head } = await app.catalog.agents.create(admin, whole, { publish: true }, context)
      return head.id
    },
  }
}

async function firstKey(app: App): Promise<string> {
  const made = await app.identity.bootstrap({ tenantName: 'Bench', adminName: 'Bench' })
  if (made === undefined) throw new Error('The data folder of a bench is not empty.')
  return made.key
}
