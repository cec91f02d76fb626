// What the runtime asks of prices, and what is on record of its facts: usage, and the costs of tools and of time. Each is
// written in the transaction of the fact, under an id that is derived from it.

import type { TenantId } from '../../base/ids.ts'
import { nanosFromPicos } from '../../base/money.ts'
import type { Metering, RunEndedFact, RunPrices, ToolCalledFact } from '../../runtime/metering.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { insertCost } from '../costs/cost-store.ts'
import type { TenantPrices } from '../prices/own/prices-of.ts'
import { rate } from '../prices/rating.ts'
import { worstCase } from '../prices/worst-case.ts'
import { runUsageId, toolUsageId } from './fact-id.ts'
import { insertFactUsage, insertUsage } from './usage-store.ts'

const MS_PER_SECOND = 1_000
const ACTOR = 'system'
/** Of a run's active time; docs and price lists call it so. */
const COMPUTE = 'compute/second'

export interface MeteringDeps {
  /** At most a second old. */
  readonly pricesOf: (tenantId: TenantId) => Promise<TenantPrices>
}

export function createMetering({ pricesOf }: MeteringDeps): Metering {
  return {
    prices: async (tenantId) => runPrices(await pricesOf(tenantId)),
    record: insertUsage,
    runEnded,
    toolCalled,
  }
}

function runPrices(prices: TenantPrices): RunPrices {
  return {
    rate: (model, usage, at) => rate(prices, model, usage, at),
    worstCase: (model, { promptTokens, outputTokens }, at) =>
      // Prompts are texts; what a model answers in another medium has a price of its own.
      worstCase(prices, model, { promptTokensMax: promptTokens, outputTokensMax: outputTokens }, at),
    toolPrice(tool, at) {
      const price = prices.unitPrice(`tool/${tool}`, at)
      return price === undefined ? undefined : nanosFromPicos(price)
    },
    computeCost(activeMs, at) {
      const price = prices.unitPrice(COMPUTE, at)
      return price === undefined
        ? undefined
        : nanosFromPicos((price * BigInt(activeMs)) / BigInt(MS_PER_SECOND))
    },
  }
}

async function runEnded(tx: TenantTransaction, fact: RunEndedFact): Promise<void> {
  const { runId, of, replay, compute, at } = fact
  const kind = fact.kind === 'agent' ? 'agent_run' : 'workflow_run'
  await insertFactUsage(tx, { id: runUsageId(runId), kind, of, replay, at })
  if (compute === undefined) return
  await insertCost(tx, {
    type: 'COMPUTE',
    of,
    amountNanos: compute.costNanos,
    quantity: Math.ceil(compute.activeMs / MS_PER_SECOND),
    unit: 'second',
    description: COMPUTE,
    factKey: `compute:${runId}`,
    replay,
    createdBy: ACTOR,
    at,
    acceptedAt: at,
  })
}

async function toolCalled(tx: TenantTransaction, called: ToolCalledFact): Promise<boolean> {
  const { fact, tool, of, replay, costNanos, at } = called
  const isNew = await insertFactUsage(tx, { id: toolUsageId(fact), kind: 'tool_call', of, replay, at })
  if (!isNew || costNanos === undefined) return isNew
  await insertCost(tx, {
    type: 'TOOL_USAGE',
    of,
    amountNanos: costNanos,
    quantity: 1,
    unit: 'call',
    description: `tool/${tool}`,
    factKey: `tool:${fact}`,
    replay,
    createdBy: ACTOR,
    at,
    acceptedAt: at,
  })
  return true
}
