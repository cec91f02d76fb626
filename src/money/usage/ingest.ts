// Usage that is told from outside: a batch of facts, each taken, known already, or refused. A fact is known by its metric
// and the sender's own id of it, so that sent again in whatever period it counts once; the first acceptance decides.

import { AppError, type FieldError } from '../../base/errors.ts'
import type { TenantId, UsageId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import { type Clock, type EpochMs, parseTime } from '../../base/time.ts'
import { codecOf } from '../../contract/codec.ts'
import type { Metric } from '../../contract/money.ts'
import type { Principal } from '../../contract/principal.ts'
import {
  type IngestedUsage,
  USAGE_BATCH_MAX,
  type UsageRecord,
  usageRecord,
} from '../../contract/subscription.ts'
import type { Database, TenantReader } from '../../storage/database.ts'
import type { Statement } from '../../storage/statement.ts'
import { usageIdOf } from './fact-id.ts'
import { factsById, type IngestedFact, insertFacts, knownProjects, knownRuns } from './ingest-store.ts'

/** How far in the future a time may lie that another clock says. */
const AHEAD_MS_MAX = 5 * 60_000
/** How old usage may be. */
const AGE_MS_MAX = 366 * 86_400_000
/** Why the first 50 records were refused; the count tells of the others. */
const ERRORS_TOLD_MAX = 50

const record = codecOf(usageRecord)

/**
 * Takes a batch of at most `USAGE_BATCH_MAX` records, as they came. Answers how many of them are new, known already, or
 * wrong, and which say another quantity than what is on record. Throws `request.too-large` for more.
 */
export async function ingestUsage(
  { db, clock }: { readonly db: Database; readonly clock: Clock },
  principal: Principal,
  records: readonly Json[],
): Promise<IngestedUsage> {
  if (records.length > USAGE_BATCH_MAX)
    throw new AppError(
      'request.too-large',
      `A batch has at most ${USAGE_BATCH_MAX} records, not ${records.length}.`,
    )
  const { tenantId, apiKeyId = null } = principal
  const at = clock()
  const refused = new Map<number, readonly FieldError[]>()
  const taken: Taken[] = []
  records.forEach((given, index) => {
    const read = record.decode(given)
    const errors = read.ok ? timeErrors(read.value, at) : read.errors
    if (read.ok && errors.length === 0) taken.push(takenOf(tenantId, read.value, index, at))
    else refused.set(index, errors)
  })
  const known = await db.tenant(tenantId).read((reader) => knownOf(reader, taken))
  const facts = taken.filter(({ index, value }) => {
    const errors = unknownErrors(value, known)
    if (errors.length > 0) refused.set(index, errors)
    return errors.length === 0
  })
  const { accepted, stored } = await write(db, tenantId, facts, { apiKeyId, at })
  return {
    accepted,
    duplicates: facts.length - accepted,
    refused: refused.size,
    errors: [...refused]
      .toSorted(([a], [b]) => a - b)
      .slice(0, ERRORS_TOLD_MAX)
      .map(([index, errors]) => ({ index, errors: [...errors] })),
    conflicts: facts.flatMap(({ index, value, fact: [id] }) => {
      const storedQuantity = stored.get(id) ?? value.quantity
      if (storedQuantity === value.quantity) return []
      return [{ index, eventId: value.eventId, quantity: value.quantity, storedQuantity }]
    }),
  }
}

/** The id of a fact: of the same tenant, metric and event it is the same for ever. */
export function usageFactId(tenantId: TenantId, metric: Metric, eventId: string): UsageId {
  return usageIdOf(JSON.stringify(['told', tenantId, metric, eventId]))
}

interface Taken {
  readonly index: number
  readonly value: UsageRecord
  readonly fact: IngestedFact
}

function takenOf(tenantId: TenantId, value: UsageRecord, index: number, at: EpochMs): Taken {
  const { runId = null, agentId = null, workflowId = null, userId = null, projectId = null } = value
  const id = usageFactId(tenantId, value.metric, value.eventId)
  const occurredAt = timeOf(value) ?? at
  const fact = [
    id,
    value.metric,
    value.quantity,
    occurredAt,
    runId,
    agentId,
    workflowId,
    userId,
    projectId,
  ] as const
  return { index, value, fact }
}

function timeOf({ occurredAt }: UsageRecord): EpochMs | undefined {
  return occurredAt === undefined ? undefined : parseTime(occurredAt)
}

function timeErrors(value: UsageRecord, now: EpochMs): readonly FieldError[] {
  const at = timeOf(value)
  if (at === undefined) return []
  if (at > now + AHEAD_MS_MAX) return [{ path: '/occurred_at', message: 'Lies in the future.' }]
  if (at < now - AGE_MS_MAX) return [{ path: '/occurred_at', message: 'Lies more than 366 days back.' }]
  return []
}

/** Runs and projects that the tenant has, of those that are named. */
async function knownOf(reader: TenantReader, taken: readonly Taken[]): Promise<ReadonlySet<string>> {
  const look = async (
    named: readonly (string | undefined)[],
    of: Statement<{ ids: string }, { id: string }>,
  ): Promise<readonly string[]> => {
    const ids = [...new Set(named)].filter((id) => id !== undefined)
    if (ids.length === 0) return []
    return (await reader.all(of, { ids: JSON.stringify(ids) })).map(({ id }) => id)
  }
  const runs = await look(
    taken.map(({ value }) => value.runId),
    knownRuns,
  )
  const projects = await look(
    taken.map(({ value }) => value.projectId),
    knownProjects,
  )
  return new Set([...runs, ...projects])
}

function unknownErrors({ runId, projectId }: UsageRecord, known: ReadonlySet<string>): readonly FieldError[] {
  const errors: FieldError[] = []
  if (runId !== undefined && !known.has(runId))
    errors.push({ path: '/run_id', message: 'There is no such run.' })
  if (projectId !== undefined && !known.has(projectId))
    errors.push({ path: '/project_id', message: 'There is no such project.' })
  return errors
}

interface Written {
  readonly accepted: number
  /** The quantities on record of the facts that were there already. */
  readonly stored: ReadonlyMap<string, number>
}

async function write(
  db: Database,
  tenantId: TenantId,
  taken: readonly Taken[],
  by: { readonly apiKeyId: Principal['apiKeyId'] | null; readonly at: EpochMs },
): Promise<Written> {
  if (taken.length === 0) return { accepted: 0, stored: new Map() }
  // Told twice in one batch: the first stays. In the order of ids, so that batches that meet do not lock each other out.
  const facts = new Map<string, IngestedFact>()
  for (const { fact } of taken) if (!facts.has(fact[0])) facts.set(fact[0], fact)
  const sorted = [...facts.values()].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const values = { facts: JSON.stringify(sorted), apiKeyId: by.apiKeyId ?? null, at: by.at }
  return db.tenant(tenantId).write(async (tx) => {
    const added = await tx.all(insertFacts, values)
    if (added.length === taken.length) return { accepted: added.length, stored: new Map() }
    const ids = JSON.stringify([...facts.keys()])
    const rows = await tx.all(factsById, { ids })
    return { accepted: added.length, stored: new Map(rows.map(({ id, quantity }) => [id, quantity])) }
  })
}
