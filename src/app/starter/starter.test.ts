import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Principal } from '../../contract/principal.ts'
import { type App, compose } from '../compose.ts'
import { ensureFirstAdmin } from '../credentials.ts'
import { readSettings } from '../settings.ts'
import { startExampleShop } from './example-shop.ts'
import { installStarter, STARTER_AGENT, type StarterOptions, starterDefinitions } from './starter.ts'

const PLAIN: StarterOptions = { model: 'offline/extractive', tools: [], collections: ['docs'] }

describe('the starter', () => {
  let folder = ''
  let app: App
  let principal: Principal
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'af-starter-'))
    app = await compose(
      readSettings({ AGENT_FACTORY_DATA_DIR: folder, DATABASE_URL: 'sqlite::memory:', LOG_LEVEL: 'silent' }),
    )
    principal = await app.identity.authenticateKey((await ensureFirstAdmin(app.identity, folder)).apiKey)
  })
  after(async () => {
    await app.close()
    rmSync(folder, { recursive: true })
  })

  it('is made once, and follows the model and the tools that there are', async () => {
    await using shop = await startExampleShop(0)
    const tools = shop?.tools ?? []
    assert.deepEqual(
      tools.map(({ name }) => name),
      ['find_books', 'get_order', 'place_order', 'refund_order', 'get_opening_hours'],
    )
    assert.deepEqual(
      tools.map(({ effect }) => effect ?? 'once'),
      ['read', 'read', 'once', 'idempotent', 'read'],
    )
    const actions = async (options: StarterOptions) =>
      (await installStarter(app.catalog, principal, options)).map(
        ({ name, result }) => `${name} ${result.action}`,
      )
    const whole = { ...PLAIN, tools }
    assert.deepEqual((await actions(whole)).slice(-2), ['guide created', 'refund created'])
    assert.deepEqual((await actions(whole)).slice(-2), ['guide unchanged', 'refund unchanged'])
    assert.deepEqual(await actions({ ...PLAIN, model: 'openai/gpt-5-mini' }), ['guide updated'])
    assert.deepEqual(await actions(PLAIN), ['guide updated'])
  })

  it('uses the shop that another start has running, and takes a free port where something else is', async () => {
    await using first = await startExampleShop(0)
    assert.ok(first)
    const port = Number(first.hostPort.split(':')[1])
    {
      await using second = await startExampleShop(port)
      assert.equal(second?.url, first.url)
    }
    assert.equal((await fetch(`${first.url}/openapi.json`)).status, 200)
    const other = createServer((_request, response) => response.end('hello'))
    await once(other.listen(0, '127.0.0.1'), 'listening')
    const taken = (other.address() as AddressInfo).port
    await using third = await startExampleShop(taken)
    assert.notEqual(third?.hostPort, `127.0.0.1:${taken}`)
    other.close()
  })

  it('lets the workflow pay money back, and not the guide', async () => {
    await using shop = await startExampleShop(0)
    const { agent, workflows } = starterDefinitions({ ...PLAIN, tools: shop?.tools ?? [] })
    assert.ok(agent.tools?.includes('place_order') && !agent.tools.includes('refund_order'))
    assert.deepEqual(
      workflows.map(({ name }) => name),
      ['refund'],
    )
    assert.deepEqual(starterDefinitions(PLAIN).workflows, [])
    const refund = async (order: string) => {
      const answer = await fetch(`${shop?.url}/orders/${order}/refund`, { method: 'PUT' })
      return { status: answer.status, paid: (await answer.json()) as { amount_usd?: string } }
    }
    const first = await refund('1002')
    assert.deepEqual([first.status, first.paid.amount_usd], [200, '62.00'])
    assert.deepEqual(await refund('1002'), first)
    assert.equal((await refund('9999')).status, 404)
  })

  it('leaves alone what somebody has changed', async () => {
    const { version } = await app.catalog.agents.get(principal, STARTER_AGENT)
    const own = { ...version.definition, instructions: 'My own.' }
    await app.catalog.agents.update(
      principal,
      STARTER_AGENT,
      own,
      { publish: true },
      { requestId: undefined },
    )
    assert.deepEqual(await installStarter(app.catalog, principal, PLAIN), [])
    assert.equal(
      (await app.catalog.agents.get(principal, STARTER_AGENT)).version.definition.instructions,
      'My own.',
    )
  })

  it('says which folder it searches where a server has several', () => {
    const { agent, tools } = starterDefinitions({ ...PLAIN, collections: ['handbook', 'docs'] })
    assert.ok(agent.tools?.includes('search_guide_documents') && !agent.tools.includes('search_documents'))
    const [search] = tools
    assert.deepEqual(search?.implementation, {
      type: 'builtin',
      name: 'search_documents',
      config: { collection: 'docs' },
    })
  })
})
