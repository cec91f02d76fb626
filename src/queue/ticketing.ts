// Which jobs get a ticket in one pass of the relay: the tenants take turns, in the order of rank within one, never above a
// cap and never more in the engine than the window. One transaction, made by one relay at a time.

import type { JobId, TenantId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import type { SystemTransaction, TenantTransaction } from '../storage/database.ts'
import { tenantsReady } from './candidate-statements.ts'
import { FIRST_TENANT } from './claim.ts'
import {
  cappedCandidates,
  cappedDefinitions,
  type DefinitionCount,
  freeCandidates,
  leasedByDefinition,
  ticketById,
  ticketedByDefinition,
} from './ticket-store.ts'
import type { Ticket } from './transport.ts'

/** How many tickets one pass gives at most. */
export const PASS_TICKETS_MAX = 500

export interface Turns {
  readonly at: EpochMs
  /** How many tickets may be under way, with those that are. */
  readonly window: number
  /** Where the tenant has no cap of its own. */
  readonly tenantCap: number | undefined
  /** The tenant that was served last. */
  readonly after: string
}

export interface Ticketed {
  /** Interleaved by tenant, as they should be sent. */
  readonly tickets: readonly Ticket[]
  /** The `after` of the next pass. */
  readonly after: string
  /** Jobs may be left that a cap or the window held back. */
  readonly limited: boolean
  /** How many tickets were under way before. */
  readonly outstanding: number
}

/** Marks the jobs whose turn it is as ticketed. */
export async function giveTickets(tx: SystemTransaction, turns: Turns): Promise<Ticketed> {
  const ticketed = await tx.all(ticketedByDefinition, {})
  const outstanding = ticketed.reduce((sum, { count }) => sum + Number(count), 0)
  let left = Math.min(turns.window - outstanding, PASS_TICKETS_MAX)
  if (left <= 0) return { tickets: [], after: turns.after, limited: true, outstanding }
  const used = countUsed([...ticketed, ...(await tx.all(leasedByDefinition, {}))])
  let open = (await readyTenants(tx, turns.after, left)).map((row) => openTurn(row, turns.tenantCap, used))
  const given = new Map<TenantId, JobId[]>()
  let { after } = turns
  let limited = false
  while (left > 0 && open.length > 0) {
    const share = Math.max(Math.floor(left / open.length), 1)
    const again: Turn[] = []
    for (const turn of open) {
      if (left === 0) break
      const wanted = Math.min(share, left)
      const ids = await ticketTenant(tx, turn, wanted, turns.at)
      given.set(turn.tenantId, [...(given.get(turn.tenantId) ?? []), ...ids])
      left -= ids.length
      after = turn.tenantId
      limited ||= turn.capped
      if (ids.length === wanted) again.push(turn)
    }
    open = again
  }
  return { tickets: interleave(given), after, limited: limited || left === 0, outstanding }
}

interface Turn {
  readonly tenantId: TenantId
  /** How many more jobs of the tenant may have a ticket or a lease. */
  room: number
  readonly used: Map<string | null, number>
  /** A cap left something out. */
  capped: boolean
}

type Used = ReadonlyMap<TenantId, Map<string | null, number>>

function countUsed(counts: readonly DefinitionCount[]): Used {
  const used = new Map<TenantId, Map<string | null, number>>()
  for (const { tenantId, definitionId, count } of counts) {
    const of = used.get(tenantId) ?? new Map<string | null, number>()
    of.set(definitionId, (of.get(definitionId) ?? 0) + Number(count))
    used.set(tenantId, of)
  }
  return used
}

function openTurn(
  { tenantId, maxConcurrentJobs }: { tenantId: TenantId; maxConcurrentJobs: number | null },
  tenantCap: number | undefined,
  counts: Used,
): Turn {
  const used = counts.get(tenantId) ?? new Map<string | null, number>()
  const total = [...used.values()].reduce((sum, count) => sum + count, 0)
  const cap = maxConcurrentJobs ?? tenantCap ?? Number.MAX_SAFE_INTEGER
  return { tenantId, room: Math.max(cap - total, 0), used, capped: false }
}

/** Tenants with queued jobs from the one after the last served and round again, each once. */
async function readyTenants(tx: SystemTransaction, after: string, limit: number) {
  const later = await tx.all(tenantsReady, { after, limit })
  const missing = limit - later.length
  if (after === FIRST_TENANT || missing <= 0) return later
  const earlier = await tx.all(tenantsReady, { after: FIRST_TENANT, limit: missing })
  return [...later, ...earlier.filter(({ tenantId }) => tenantId <= after)]
}

async function ticketTenant(
  tx: SystemTransaction,
  turn: Turn,
  wanted: number,
  at: EpochMs,
): Promise<readonly JobId[]> {
  const limit = Math.min(wanted, turn.room)
  if (limit < wanted) turn.capped = true
  if (limit === 0) return []
  const tenant = tx.forTenant(turn.tenantId)
  const definitions = await tenant.all(cappedDefinitions, {})
  const ids = await chooseJobs(tenant, turn, definitions, limit)
  const marked = ids.length === 0 ? [] : await tenant.all(ticketById, { at, ids: JSON.stringify(ids) })
  turn.room -= marked.length
  return marked.toSorted(byRank).map(({ id }) => id)
}

/** The first jobs of a tenant that no definition's cap holds back. */
async function chooseJobs(
  tenant: TenantTransaction,
  turn: Turn,
  definitions: readonly { readonly definitionId: string }[],
  limit: number,
): Promise<JobId[]> {
  const candidates = [...(await tenant.all(freeCandidates, { limit }))]
  for (const { definitionId } of definitions)
    candidates.push(...(await tenant.all(cappedCandidates, { definitionId, limit })))
  const ids: JobId[] = []
  for (const { id, definitionId, definitionCap } of candidates.toSorted(byRank)) {
    const used = turn.used.get(definitionId) ?? 0
    if (definitionCap !== null && used >= definitionCap) {
      turn.capped = true
      continue
    }
    if (ids.length === limit) break
    turn.used.set(definitionId, used + 1)
    ids.push(id)
  }
  return ids
}

function byRank(
  a: { readonly id: JobId; readonly readyRank: number },
  b: { readonly id: JobId; readonly readyRank: number },
): number {
  return a.readyRank - b.readyRank || (a.id < b.id ? -1 : 1)
}

/** One of each tenant in turn, so that an engine that is first in, first out is fair as well. */
function interleave(given: ReadonlyMap<TenantId, readonly JobId[]>): Ticket[] {
  const tickets: Ticket[] = []
  const most = Math.max(0, ...[...given.values()].map((ids) => ids.length))
  for (let place = 0; place < most; place++) {
    for (const [tenantId, ids] of given) {
      const jobId = ids[place]
      if (jobId !== undefined) tickets.push({ tenantId, jobId })
    }
  }
  return tickets
}
