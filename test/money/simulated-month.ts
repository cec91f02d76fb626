// A month of many tenants: random plans, runs with model and tool calls written as the runtime writes them, in any order,
// some twice and some late. Beside the database it keeps its own ledger of what was told first.

import { type ModelCallId, newId, type RunId, type TenantId, type UsageId } from '../../src/base/ids.ts'
import type { EpochMs } from '../../src/base/time.ts'
import type { Dimensions, Metric } from '../../src/contract/money.ts'
import type { CreatePlan, OverageInput } from '../../src/contract/plan.ts'
import type { ModelUsage, TokenCounts } from '../../src/contract/usage.ts'
import { createMoney } from '../../src/money/create-money.ts'
import { runUsageId, toolUsageId } from '../../src/money/usage/fact-id.ts'
import { usageRecordId } from '../../src/money/usage/usage-store.ts'
import { insertModelCall } from '../../src/runtime/journal/model-call-store.ts'
import type { Metering, RunPrices } from '../../src/runtime/metering.ts'
import type { Database, TenantTransaction } from '../../src/storage/database.ts'
import { seeded } from '../chaos/simulation/scheduler.ts'
import { type BilledTenant, type BillingScene, openBilling } from '../support/billing.ts'

export interface MonthOptions {
  readonly tenants: number
  readonly runs: number
  readonly seed: number
}

/** What was told first of a fact. */
export interface LedgerEntry {
  readonly metric: Metric
  readonly quantity: number
  readonly replay: boolean
  readonly acceptedAt: EpochMs
}

export interface SimulatedTenant extends BilledTenant {
  readonly plan: CreatePlan
  readonly seats: number
  readonly ledger: ReadonlyMap<UsageId, LedgerEntry>
  readonly runs: number
  /** How often a fact was told, again included. */
  readonly told: number
}

export interface SimulatedMonth {
  readonly scene: BillingScene
  readonly tenants: readonly SimulatedTenant[]
}

type Random = () => number

const START = '2026-02-01T00:00:00Z'
const DAY_MS = 86_400_000
/** Long enough that the period of every tenant, and the one in which late usage lands, have ended. */
const MONTH_MS = 40 * DAY_MS
const BATCH = 250
const LATE = 0.03
const AGAIN = 0.08
const REPLAYED = 0.05
const MODELS = [
  'openai/gpt-5-mini',
  'openai/gpt-4o',
  'anthropic/claude-haiku-4-5',
  'google/gemini-2.5-flash',
  'nobody/unknown-model',
]
const CURRENCIES = ['USD', 'EUR', 'JPY', 'KWD']
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Tokyo']
const CHARGED: readonly Metric[] = ['agent_run', 'workflow_run', 'token', 'tool_call']

/** Lets the month pass; `progress` is told after each tenant. */
export async function simulateMonth(
  db: Database,
  { tenants: count, runs, seed }: MonthOptions,
  progress: (tenant: number) => void = () => undefined,
): Promise<SimulatedMonth> {
  const random = seeded(seed)
  const scene = openBilling(db, START)
  const { metering } = createMoney({ db, clock: scene.now })
  const shares = Array.from({ length: count }, () => 0.2 + random())
  const whole = shares.reduce((sum, share) => sum + share, 0)
  const tenants: SimulatedTenant[] = []
  let begun = 0
  let passed = 0
  for (const [index, share] of shares.entries()) {
    passed += share
    const until = index === count - 1 ? runs : Math.round((runs * passed) / whole)
    const plan = randomPlan(random, `plan-${seed}-${index}`)
    const seats = 1 + Math.floor(random() * 20)
    await scene.plan(plan)
    const timeZone = pick(random, ZONES)
    const tenant = await scene.subscribed(plan.key, { seats, currency: plan.currency, timeZone })
    tenants.push({
      ...tenant,
      plan,
      seats,
      ...(await live(db, metering, tenant.tenantId, until - begun, random)),
    })
    begun = until
    progress(index + 1)
  }
  // Two turns: the periods that have ended, and those in which what was late was accepted.
  await scene.bill(Date.parse(START))
  await scene.bill(Date.parse(START) + MONTH_MS)
  await scene.bill(Date.parse(START) + 2 * MONTH_MS)
  return { scene, tenants }
}

interface Telling {
  readonly id: UsageId
  readonly entry: Omit<LedgerEntry, 'acceptedAt'>
  readonly write: (tx: TenantTransaction, at: EpochMs, first: boolean) => Promise<unknown>
}

async function live(
  db: Database,
  metering: Metering,
  tenantId: TenantId,
  runs: number,
  random: Random,
): Promise<Pick<SimulatedTenant, 'ledger' | 'runs' | 'told'>> {
  const prices = await metering.prices(tenantId)
  const told: { readonly telling: Telling; readonly at: EpochMs }[] = []
  for (let run = 0; run < runs; run++) {
    const at = Date.parse(START) + Math.floor(random() * 27 * DAY_MS)
    for (const telling of factsOfRun(metering, prices, random)) {
      const late = random() < LATE ? 30 * DAY_MS : 0
      told.push({ telling, at: at + late })
      if (random() < AGAIN) told.push({ telling, at: at + Math.floor(random() * 28 * DAY_MS) })
    }
  }
  shuffle(told, random)
  const ledger = new Map<UsageId, LedgerEntry>()
  for (let from = 0; from < told.length; from += BATCH) {
    const batch = told.slice(from, from + BATCH).map(({ telling, at }) => {
      const first = !ledger.has(telling.id)
      if (first) ledger.set(telling.id, { ...telling.entry, acceptedAt: at })
      return { telling, at, first }
    })
    await db.tenant(tenantId).write(async (tx) => {
      for (const { telling, at, first } of batch) await telling.write(tx, at, first)
    })
  }
  return { ledger, runs, told: told.length }
}

function factsOfRun(metering: Metering, prices: RunPrices, random: Random): readonly Telling[] {
  const runId = newId('run')
  const kind = random() < 0.8 ? 'agent' : 'workflow'
  const replay = random() < REPLAYED
  const of: Dimensions = {
    runId,
    agentId: kind === 'agent' ? 'agt_simulated' : null,
    workflowId: kind === 'workflow' ? 'wfl_simulated' : null,
    userId: null,
    apiKeyId: null,
    projectId: null,
  }
  const facts: Telling[] = [
    {
      id: runUsageId(runId),
      entry: { metric: kind === 'agent' ? 'agent_run' : 'workflow_run', quantity: 1, replay },
      write: (tx, at) => metering.runEnded(tx, { runId, of, replay, kind, at }),
    },
  ]
  const calls = Math.floor(random() * 3)
  for (let step = 1; step <= calls; step++)
    facts.push(modelCall({ metering, prices, random, runId, step, of, replay }))
  const tools = Math.floor(random() * 3)
  for (let step = 101; step <= 100 + tools; step++)
    facts.push({
      id: toolUsageId(`${runId}:${step}:1`),
      entry: { metric: 'tool_call', quantity: 1, replay },
      write: (tx, at) =>
        metering.toolCalled(tx, {
          runId,
          fact: `${runId}:${step}:1`,
          tool: 'search',
          of,
          replay,
          costNanos: undefined,
          at,
        }),
    })
  return facts
}

function modelCall({
  metering,
  prices,
  random,
  runId,
  step,
  of,
  replay,
}: {
  readonly metering: Metering
  readonly prices: RunPrices
  readonly random: Random
  readonly runId: RunId
  readonly step: number
  readonly of: Dimensions
  readonly replay: boolean
}): Telling {
  const modelCallId = newId('modelCall')
  const model = pick(random, MODELS)
  const usage = randomUsage(random)
  const at = Date.parse(START)
  const rating = prices.rate(model, usage, at)
  const counts = usage.state === 'known' ? usage.counts : NOTHING
  const quantity =
    counts.inputTokens + counts.cachedInputTokens + counts.cacheWriteTokens + counts.outputTokens
  return {
    id: usageRecordId(modelCallId),
    entry: { metric: 'token', quantity, replay },
    async write(tx, acceptedAt, first) {
      if (first) await logCall(tx, { modelCallId, runId, step, model, usage, counts, rating, at: acceptedAt })
      await metering.record(tx, { modelCallId, of, model, usage, rating, replay, at, acceptedAt })
    },
  }
}

async function logCall(
  tx: TenantTransaction,
  call: {
    readonly modelCallId: ModelCallId
    readonly runId: RunId
    readonly step: number
    readonly model: string
    readonly usage: ModelUsage
    readonly counts: TokenCounts
    readonly rating: ReturnType<RunPrices['rate']>
    readonly at: EpochMs
  },
): Promise<void> {
  const { modelCallId, runId, step, model, usage, counts, rating, at } = call
  await tx.run(insertModelCall, {
    id: modelCallId,
    runId,
    step,
    attempt: 1,
    model,
    responseModel: model,
    responseId: null,
    status: usage.state === 'none' ? 'failed' : 'answered',
    finishReason: 'stop',
    failureKind: null,
    failureMessage: null,
    httpStatus: null,
    headHash: '',
    messagesUntil: 0,
    response: null,
    usageState: usage.state,
    ...counts,
    costState: rating.costState,
    costNanos: rating.costState === 'priced' ? rating.costNanos : null,
    startedAt: at,
    firstTokenMs: null,
    totalMs: 1,
    capture: 'metadata',
  })
}

const NOTHING: TokenCounts = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
}

function randomUsage(random: Random): ModelUsage {
  const kind = random()
  if (kind < 0.02) return { state: 'missing', raw: null }
  if (kind < 0.04) return { state: 'none' }
  const outputTokens = Math.floor(random() * 2_000)
  const counts = {
    inputTokens: Math.floor(random() * 8_000),
    cachedInputTokens: random() < 0.4 ? Math.floor(random() * 20_000) : 0,
    cacheWriteTokens: random() < 0.1 ? Math.floor(random() * 4_000) : 0,
    outputTokens,
    reasoningTokens: Math.floor(random() * outputTokens),
  }
  return { state: 'known', counts, raw: null }
}

function randomPlan(random: Random, key: string): CreatePlan {
  const currency = pick(random, CURRENCIES)
  const decimals = currency === 'JPY' ? 0 : currency === 'KWD' ? 3 : 2
  const included: Partial<Record<Metric, number>> = {}
  for (const metric of CHARGED)
    if (random() < 0.6) included[metric] = Math.floor(random() * (metric === 'token' ? 1e6 : 200))
  return {
    key,
    name: key,
    currency,
    interval: 'month',
    basePrice: random() < 0.2 ? '0' : (random() * 200).toFixed(decimals),
    perSeat: random() < 0.4,
    included,
    overage: CHARGED.filter(() => random() < 0.8).map((metric) => randomOverage(random, metric, decimals)),
  }
}

function randomOverage(random: Random, metric: Metric, decimals: number): OverageInput {
  const scale = metric === 'token' ? 0.00001 : 0.05
  const unitPrice = (): string => (random() * scale).toFixed(9)
  const size = metric === 'token' ? 100_000 : 50
  const kind = random()
  if (kind < 0.4) return { metric, model: 'per_unit', unitPrice: unitPrice() }
  if (kind < 0.6)
    return { metric, model: 'package', packageSize: size, packagePrice: (random() * 5).toFixed(decimals) }
  return {
    metric,
    model: kind < 0.8 ? 'graduated' : 'volume',
    tiers: [
      { upTo: size, unitPrice: unitPrice() },
      { upTo: size * 10, unitPrice: unitPrice(), flatPrice: (random() * 3).toFixed(decimals) },
      { upTo: null, unitPrice: unitPrice() },
    ],
  }
}

function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new Error('There is nothing to pick from.')
  return item
}

function shuffle(items: unknown[], random: Random): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const held = items[at]
    items[at] = items[other]
    items[other] = held
  }
}
