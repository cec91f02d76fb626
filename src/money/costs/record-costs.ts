// Costs told from outside are recorded, once for each fact, and charged to budgets in the same transaction.

import { AppError } from '../../base/errors.ts'
import { isId, type RunId } from '../../base/ids.ts'
import { formatUsd, type Nanos, parseUsd } from '../../base/money.ts'
import { type Clock, type EpochMs, formatTime } from '../../base/time.ts'
import type { CostInput } from '../../contract/cost.ts'
import type { Dimensions } from '../../contract/money.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import { appendAudit } from '../../events/append.ts'
import type { Budgets } from '../../runtime/budgets.ts'
import type { Database, TenantTransaction } from '../../storage/database.ts'
import { type CostRow, insertCost, type NewCost } from './cost-store.ts'
import { definitionIdOf, dimensionsOfRun, isMember, NOBODY, projectIdOf } from './entities.ts'

export interface RecordDeps {
  readonly db: Database
  readonly clock: Clock
  readonly charge: Budgets['charge']
}

export interface CostContext {
  readonly requestId: string | undefined
  readonly inTransaction?: ((tx: TenantTransaction, id: string) => Promise<void>) | undefined
}

/** How far ahead of ours the clock of who tells a cost may be. */
export const FUTURE_MS_MAX = 5 * 60_000
/** How old a cost may be that is told now. */
export const PAST_MS_MAX = 400 * 86_400_000

/** All are recorded, or none. Answers the costs that hold, in the order told: of one told before, the first. */
export async function recordCosts(
  deps: RecordDeps,
  principal: Principal,
  inputs: readonly CostInput[],
  context: CostContext,
): Promise<readonly CostRow[]> {
  const acceptedAt = deps.clock()
  const read = inputs.map((input, at) => readInput(input, at, acceptedAt))
  return deps.db.tenant(principal.tenantId).write(async (tx) => {
    const rows: CostRow[] = []
    const charges = new Map<string, Charge>()
    for (const { input, amountNanos, at } of read) {
      const { of, rootRunId, replay } = await whose(tx, input)
      const fact: NewCost = {
        type: input.type,
        of,
        amountNanos,
        quantity: input.quantity ?? null,
        unit: input.unit ?? null,
        description: input.description ?? '',
        factKey: input.externalId === undefined ? null : `external:${input.externalId}`,
        replay,
        createdBy: actorOf(principal),
        at,
        acceptedAt,
      }
      const { row, added } = await insertCost(tx, fact)
      if (!added) refuseOther(row, fact)
      rows.push(row)
      if (!added) continue
      addCharge(charges, { of, rootRunId, at, amountNanos })
      await audit(tx, principal, row, context)
    }
    for (const { of, rootRunId, amountNanos, at } of charges.values())
      if (amountNanos > 0n) await deps.charge(tx, of, rootRunId, amountNanos, at)
    const first = rows[0]
    if (first) await context.inTransaction?.(tx, JSON.stringify(rows.map(({ id }) => id)))
    return rows
  })
}

interface Charge {
  readonly of: Dimensions
  readonly rootRunId: RunId | null
  readonly at: EpochMs
  amountNanos: Nanos
}

/** What is of the same and of the same time is charged at once: budgets are locked once for it. */
function addCharge(charges: Map<string, Charge>, charge: Charge): void {
  const key = JSON.stringify([charge.of, charge.at])
  const known = charges.get(key)
  if (known) known.amountNanos += charge.amountNanos
  else charges.set(key, charge)
}

function readInput(
  input: CostInput,
  index: number,
  now: EpochMs,
): { readonly input: CostInput; readonly amountNanos: Nanos; readonly at: EpochMs } {
  const amountNanos = parseUsd(input.amountUsd)
  if (amountNanos === undefined || amountNanos < 0n)
    throw wrong(index, 'amount_usd', 'must be an amount like "0.00123"')
  const at = input.occurredAt === undefined ? now : Date.parse(input.occurredAt)
  if (at > now + FUTURE_MS_MAX) throw wrong(index, 'occurred_at', 'must not be in the future')
  if (at < now - PAST_MS_MAX)
    throw wrong(
      index,
      'occurred_at',
      `must not be older than ${PAST_MS_MAX / 86_400_000} days: ${formatTime(now - PAST_MS_MAX)}`,
    )
  return { input, amountNanos, at }
}

async function whose(
  tx: TenantTransaction,
  { runId, agent, workflow, userId, project }: CostInput,
): Promise<{ readonly of: Dimensions; readonly rootRunId: RunId | null; readonly replay: boolean }> {
  if (runId !== undefined) {
    const { rootRunId, replay, ...of } = await dimensionsOfRun(tx, runId as RunId)
    return { of, rootRunId, replay }
  }
  const user = userId !== undefined && isId('user', userId) ? userId : null
  if (userId !== undefined && !(user && (await isMember(tx, user))))
    throw new AppError('request.invalid', `There is no user "${userId}" in the tenant.`, {
      errors: [{ path: '/user_id', message: 'is not a user of the tenant' }],
    })
  const of: Dimensions = {
    ...NOBODY,
    agentId: agent === undefined ? null : await definitionIdOf(tx, 'agent', agent),
    workflowId: workflow === undefined ? null : await definitionIdOf(tx, 'workflow', workflow),
    projectId: project === undefined ? null : await projectIdOf(tx, project),
    userId: user,
  }
  return { of, rootRunId: null, replay: false }
}

/** The same fact with other content is a mistake of who tells it: neither is taken for the other. */
function refuseOther(row: CostRow, fact: NewCost): void {
  const isSame =
    row.type === fact.type &&
    row.amountNanos === fact.amountNanos &&
    row.quantity === fact.quantity &&
    row.unit === fact.unit
  if (isSame) return
  throw new AppError(
    'idempotency.key-reused',
    `The external_id "${row.factKey.slice('external:'.length)}" was told with ${row.type} of ${formatUsd(row.amountNanos)} USD before. Use another external_id for another cost.`,
  )
}

async function audit(
  tx: TenantTransaction,
  principal: Principal,
  row: CostRow,
  context: CostContext,
): Promise<void> {
  const { id, type, amountNanos, factKey, occurredAt, acceptedAt } = row
  await appendAudit(tx, {
    type: 'cost.recorded',
    actor: actorOf(principal),
    subject: id,
    data: { type, amount_usd: formatUsd(amountNanos), fact: factKey, occurred_at: formatTime(occurredAt) },
    requestId: context.requestId,
    at: acceptedAt,
  })
}

function wrong(index: number, field: string, message: string): AppError {
  return new AppError('request.invalid', `Cost ${index + 1}: ${field} ${message}.`, {
    errors: [{ path: `/entries/${index}/${field}`, message }],
  })
}
