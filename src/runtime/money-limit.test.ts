import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CALL_NANOS, costsOf, openBudgeted, SHORT } from '../../test/support/budgeted.ts'
import { forEachDatabase } from '../../test/support/database.ts'
import type { Factory } from '../../test/support/factory.ts'
import type { RunId } from '../base/ids.ts'
import { formatUsd, parseUsd } from '../base/money.ts'
import type { AgentLimits } from '../contract/agent.ts'
import type { WorkflowNode } from '../contract/workflow.ts'
import { defineTool } from '../define/define-tool.ts'
import type { ModelRequest } from '../models/model.ts'
import type { ScriptedTurn } from '../models/scripted/script.ts'
import { createScriptedModel, type ScriptedModel } from '../models/scripted/scripted-model.ts'
import type { Database } from '../storage/database.ts'
import { systemStatement } from '../storage/statement.ts'
import { OUTPUT_TOKENS_LEAST } from './agent/model-admission.ts'
import { OUTPUT_TOKENS_BUDGETED, tokenBound } from './agent/prompt-bound.ts'

const WAIT_MS = 20_000
const SEEDS = 6
const SEARCH_NANOS = 700_000n
/** A worker with it dies as far as others can tell: its leases lapse at once. */
const SILENT = { leaseMs: 1, heartbeatMs: 3_600_000 }
const context = { requestId: undefined }

const allRuns = systemStatement('test.runs-and-limits', 'a test looks at everything', (db) =>
  db
    .selectFrom('runs')
    .select(['id', 'parentRunId', 'definitionName', 'limits', 'costNanos', 'unpricedCount', 'errorCode'])
    .orderBy('id'),
)

const search = defineTool({
  name: 'search',
  description: 'Searches, for money.',
  input: { type: 'object' },
  effect: 'read',
  run: async () => 'found',
})

/** The same numbers for the same seed, from 0 to 1. */
function randomOf(seed: number): () => number {
  let state = seed + 1
  return () => {
    state = (state * 16_807) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** A model that uses so much of what it may, from 0 to 1. */
function using(request: ModelRequest, part: number) {
  const { promptTokens, outputTokens } = tokenBound(request)
  return { inputTokens: Math.floor(promptTokens * part), outputTokens: Math.floor(outputTokens * part) }
}

/** `top` calls three of `middle` at once, each of which searches and calls `leaf` at once. */
function says({ tools, messages }: ModelRequest): ScriptedTurn {
  if (messages.length > 1 || tools.length === 0) return { text: 'Done.' }
  const [tool = ''] = tools.map(({ name }) => name)
  if (tool !== 'search')
    return { toolCalls: [1, 2, 3].map((n) => ({ tool, arguments: { input: `Part ${n}.` } })) }
  return {
    toolCalls: [
      { tool: 'search', arguments: {} },
      { tool: 'leaf', arguments: { input: 'Leaf.' } },
    ],
  }
}

function spender(seed: number, called: (call: number) => void = () => undefined): ScriptedModel {
  const random = randomOf(seed)
  return createScriptedModel('scripted', (request, call) => {
    called(call)
    return { ...says(request), usage: using(request, 0.2 + 0.8 * random()) }
  })
}

async function publishTree(factory: Factory, seed: number): Promise<void> {
  const random = randomOf(seed + 100)
  const upTo = (nanos: number): AgentLimits => ({
    maxCostUsd: formatUsd(BigInt(Math.ceil(nanos * random()))),
  })
  const { money, admin } = factory
  const price = formatUsd(SEARCH_NANOS)
  await money.prices.set(admin, { subject: 'tool/search', amounts: { price } }, context)
  const settings = { modelSettings: { maxOutputTokens: 1_000 } }
  await factory.agent({ name: 'leaf', ...settings })
  const middle = random() < 0.5 ? { limits: upTo(12_000_000) } : {}
  await factory.agent({ name: 'middle', tools: ['search'], subAgents: ['leaf'], ...settings, ...middle })
  await factory.agent({ name: 'top', subAgents: ['middle'], ...settings, limits: upTo(40_000_000) })
}

/** Each run with a limit has spent no more than that, with all below it. */
async function assertWithin(db: Database): Promise<Awaited<ReturnType<typeof rowsOf>>> {
  const rows = await rowsOf(db)
  const costs = await costsOf(db)
  const spent = (id: RunId): bigint => {
    const own = rows.find((row) => row.id === id)?.costNanos ?? 0n
    const tools = costs.filter(({ runId }) => runId === id).map(({ amountNanos }) => amountNanos)
    const below = rows.filter(({ parentRunId }) => parentRunId === id).map((row) => spent(row.id))
    return [own, ...tools, ...below].reduce((sum, nanos) => sum + nanos)
  }
  for (const { id, limits, definitionName } of rows) {
    const { maxCostUsd } = JSON.parse(limits) as AgentLimits
    const most = maxCostUsd === undefined ? undefined : parseUsd(maxCostUsd)
    if (most !== undefined)
      assert.ok(spent(id) <= most, `${definitionName} has spent ${spent(id)} of ${most}`)
  }
  return rows
}

function rowsOf(db: Database) {
  return db.system.read((reader) => reader.all(allRuns, {}))
}

forEachDatabase((_, open) => {
  describe('the money limit of a run', () => {
    it('is not passed by sub-agents side by side, whatever they cost, also over a restart', async () => {
      const codes = new Set<string | null>()
      let lowered = 0
      for (let seed = 0; seed < SEEDS; seed++) {
        await using db = await open()
        const reached = Promise.withResolvers<void>()
        const stopsAt = seed % 2 === 0 ? undefined : 2 + seed
        const model = spender(seed, (call) => (call === stopsAt ? reached.resolve() : undefined))
        const first = await openBudgeted({ db, models: [model], codeTools: [search] })
        await publishTree(first, seed)
        const { tenantId, admin, runtime } = first
        const { id } = await runtime.start(admin, { agent: 'top', input: 'Go.' }, context)
        const ended = runtime.wait(tenantId, id, WAIT_MS)
        if (stopsAt !== undefined) await Promise.race([reached.promise, ended])
        else await ended
        await first[Symbol.asyncDispose]()
        await using second = await openBudgeted({ db, models: [model], codeTools: [search] })
        const { state } = await second.runtime.wait(tenantId, id, WAIT_MS)
        assert.ok(state === 'completed' || state === 'failed')
        for (const { errorCode } of await assertWithin(db)) codes.add(errorCode)
        for (const { settings } of model.requests()) {
          const cap = settings.maxOutputTokens ?? assert.fail('without a cap')
          assert.ok(cap >= OUTPUT_TOKENS_LEAST && cap <= 1_000)
          if (cap < 1_000) lowered += 1
        }
      }
      assert.deepEqual(codes, new Set([null, 'limit.money']))
      assert.ok(lowered > 0)
    })

    it('is not passed by the branches of a workflow, which take turns where there is little left', async () => {
      for (const share of [0.3, 1]) {
        await using db = await open()
        const model = createScriptedModel('scripted', (request) => ({
          text: 'Done.',
          usage: using(request, share),
          // They are under way side by side where nothing keeps them from it.
          delayMs: 20,
        }))
        await using factory = await openBudgeted({ db, models: [model] })
        const { catalog, admin, runtime, tenantId } = factory
        await factory.agent({ name: 'worker', modelSettings: { maxOutputTokens: 1_000 } })
        const node: WorkflowNode = { id: 'w', type: 'agent', agent: 'worker', input: '"Work."' }
        const each: WorkflowNode = {
          id: 'each',
          type: 'for_each',
          items: '[1, 2, 3, 4]',
          concurrency: 4,
          nodes: [{ ...node, onError: 'continue' }],
        }
        // One costs 3.3 million nano-USD at the most.
        const limits = { maxCostUsd: '0.006' }
        const flow = { name: 'flow', nodes: [each], limits }
        await catalog.workflows.create(admin, flow, { publish: true }, context)
        const { id } = await runtime.start(admin, { workflow: 'flow', input: {} }, context)
        assert.equal((await runtime.wait(tenantId, id, WAIT_MS)).state, 'completed')
        const rows = await assertWithin(db)
        const made = rows.filter(
          ({ definitionName, errorCode }) => definitionName === 'worker' && errorCode === null,
        )
        assert.equal(made.length, share === 1 ? 2 : 4)
      }
    })

    it('lowers the cap of an answer to what fits, also in the prompt log', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', (request) => ({
        text: 'Done.',
        usage: using(request, 1),
      }))
      await using factory = await openBudgeted({ db, models: [model] })
      const { runtime, tenantId } = factory
      await factory.agent({ name: 'one' })
      const run = await factory.run('one', 'Go.', { limits: { maxCostUsd: '0.005' } })
      assert.equal(run.state, 'completed', JSON.stringify(run.error))
      const cap = model.requests()[0]?.settings.maxOutputTokens ?? 0
      assert.ok(cap >= OUTPUT_TOKENS_LEAST && cap < OUTPUT_TOKENS_BUDGETED && cap % OUTPUT_TOKENS_LEAST === 0)
      assert.ok(
        run.costNanos <= 5_000_000n && run.costNanos + 2_000n * BigInt(OUTPUT_TOKENS_LEAST) > 5_000_000n,
      )
      const [call] = (await runtime.modelCalls(tenantId, run.id, { limit: 1 })).items
      const logged = await runtime.modelCall(tenantId, call?.id ?? assert.fail())
      assert.equal(logged.request?.settings.maxOutputTokens, cap)
    })

    it('ends the run before a call that may pass it, and says so', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [{ text: 'Done.' }])
      await using factory = await openBudgeted({ db, models: [model] })
      await factory.agent({ name: 'one', ...SHORT })
      const run = await factory.run('one', 'Go.', { limits: { maxCostUsd: formatUsd(CALL_NANOS) } })
      assert.equal(run.error?.code, 'limit.money')
      assert.match(
        run.error?.message ?? '',
        /^The money limit is \$0\.00002 \(limits\.max_cost_usd\): \$0 is spent, and an answer of scripted\/test needs up to \$0\.001\d*\.$/,
      )
      assert.equal(model.calls(), 0)
    })

    it('refuses a model without a price before it is asked, and another attempt after one of unknown cost', async () => {
      await using db = await open()
      const failure = { kind: 'server_error', message: 'It broke.' } as const
      const lost: ScriptedTurn = { failure, usage: { state: 'missing', raw: null } }
      const model = createScriptedModel('scripted', [{ failure }, lost, { text: 'Done.' }])
      await using factory = await openBudgeted({ db, models: [model] })
      await factory.agent({ name: 'odd', model: 'scripted/unpriced', limits: { maxCostUsd: '1' } })
      const odd = await factory.run('odd', 'Go.')
      assert.deepEqual([odd.error?.code, model.calls()], ['limit.money', 0])
      assert.match(odd.error?.message ?? '', /scripted\/unpriced/)
      await factory.agent({ name: 'one', limits: { maxCostUsd: '1' } })
      const run = await factory.run('one', 'Go.')
      assert.deepEqual([run.error?.code, model.calls()], ['limit.money', 2])
    })

    it('holds what tools cost against it: a call that would pass it fails, and the model hears of it', async () => {
      await using db = await open()
      const call = { tool: 'search', arguments: {} }
      const model = createScriptedModel('scripted', [{ toolCalls: [call, call] }, { text: 'Done.' }])
      await using factory = await openBudgeted({ db, models: [model], codeTools: [search] })
      const { money, admin, runtime, tenantId } = factory
      await money.prices.set(admin, { subject: 'tool/search', amounts: { price: '0.01' } }, context)
      await factory.agent({ name: 'one', tools: ['search'], ...SHORT })
      const run = await factory.run('one', 'Go.', { limits: { maxCostUsd: '0.015' } })
      assert.equal(run.state, 'completed', JSON.stringify(run.error))
      const steps = await runtime.steps(tenantId, run.id, { limit: 10, after: 0 })
      const ends = steps.filter(({ kind }) => kind === 'tool').map(({ error }) => error?.code ?? null)
      assert.deepEqual(ends.toSorted(), ['limit.money', null])
      await assertWithin(db)
    })

    it('counts what a tool may have cost in a process that died, and what is on record', async () => {
      await using db = await open()
      const entered = Promise.withResolvers<void>()
      const hanging = defineTool({
        ...{ name: 'search', description: 'Hangs.', input: { type: 'object' }, effect: 'read' },
        run: () => {
          entered.resolve()
          return new Promise<never>(() => undefined)
        },
      })
      const turns = (request: ModelRequest): ScriptedTurn =>
        request.messages.length > 3
          ? { text: 'Done.' }
          : { toolCalls: [{ tool: 'search', arguments: { n: request.messages.length } }] }
      const models = [createScriptedModel('scripted', turns)]
      const first = await openBudgeted({ db, models, codeTools: [hanging], lease: SILENT })
      const { money, admin, runtime, tenantId } = first
      await money.prices.set(admin, { subject: 'tool/search', amounts: { price: '0.01' } }, context)
      await first.agent({ name: 'one', tools: ['search'], ...SHORT })
      const started = await runtime.start(
        admin,
        { agent: 'one', input: 'Go.', limits: { maxCostUsd: '0.015' } },
        context,
      )
      await entered.promise
      await using second = await openBudgeted({ db, models, codeTools: [search] })
      const run = await second.runtime.wait(tenantId, started.id, WAIT_MS)
      assert.equal(run.state, 'completed', JSON.stringify(run.error))
      const steps = await second.runtime.steps(tenantId, run.id, { limit: 10, after: 0 })
      const ends = steps.filter(({ kind }) => kind === 'tool').map(({ error }) => error?.code ?? null)
      assert.deepEqual(ends, [null, 'limit.money'])
      await assertWithin(db)
    })
  })
})
