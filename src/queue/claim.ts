// How jobs are taken: fairly among tenants, in the order of their rank within one, never above a cap. One transaction.
// On Postgres a tenant's row is locked where a cap applies, so that what was counted holds until the commit; jobs
// without a cap are taken by many at once and skip what others have. SQLite has one writer.

import type { JobId, TenantId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import type { SystemTransaction, TenantTransaction } from '../storage/database.ts'
import {
  cappedHeads,
  definitionHead,
  freeHead,
  heldByDefinition,
  queuedTickets,
  tenantsReady,
} from './candidate-statements.ts'
import {
  claimById,
  claimFree,
  claimLapsed,
  lockTenant,
  promoteScheduled,
  tenantCaps,
  tryTenant,
  unticket,
} from './claim-statements.ts'
import type { ClaimedJob } from './job.ts'
import type { Ticket } from './transport.ts'

/** How many jobs one transaction makes due at most. */
export const PROMOTED_MAX = 500
/** How many tenants with queued jobs one claim looks at, where many of them are at their caps. */
export const TENANTS_LOOKED_AT_MAX = 1_000
const TENANTS_DRAWN_FROM = 100
/** Before the first tenant, and after the last one. */
export const FIRST_TENANT = ''

/** What a claim is made with. */
export interface ClaimTerms {
  readonly owner: string
  readonly at: EpochMs
  readonly leaseMs: number
  readonly kinds: readonly string[]
  /** How many jobs of one tenant may be held at a time, where the tenant has no number of its own. */
  readonly tenantCap?: number | undefined
}

export interface Claim extends ClaimTerms {
  readonly limit: number
  /** Whether to look for leases that have lapsed as well. */
  readonly lapsed: boolean
  /** The tenant that was served last: the next one has its turn first. */
  readonly after: string
}

export interface Claimed {
  readonly jobs: readonly ClaimedJob[]
  /** The `after` of the next claim. */
  readonly after: string
  /** A tenant was left out because another worker was counting its jobs: try again soon. */
  readonly contended: boolean
}

/**
 * Claims up to `limit` jobs, held until `at + leaseMs`: lapsed ones first, then the tenants take turns, one job each,
 * until the limit is reached. What is scheduled and due becomes queued first.
 */
export async function claimJobs(tx: SystemTransaction, claim: Claim): Promise<Claimed> {
  const { limit } = claim
  const values = valuesOf(claim)
  await promoteDue(tx, claim.at)
  const jobs: ClaimedJob[] = claim.lapsed ? [...(await tx.all(claimLapsed, { ...values, limit }))] : []
  let { after } = claim
  let contended = false
  const exhausted = new Set<TenantId>()
  for (let looked = 0; jobs.length < limit && looked < TENANTS_LOOKED_AT_MAX; ) {
    const asked = limit - jobs.length
    const page = await readyTenants(tx, { ...claim, after }, asked)
    const all = page.length < asked
    looked += page.length
    // Round again: those that are left are at their caps.
    if (page.every(({ tenantId }) => exhausted.has(tenantId))) break
    for (let tenants = page; tenants.length > 0 && jobs.length < limit; ) {
      const turn = await giveTurns(tx, tenants, claim, limit - jobs.length)
      jobs.push(...turn.jobs)
      after = turn.after
      contended ||= turn.contended
      for (const tenantId of turn.exhausted) exhausted.add(tenantId)
      // Where there may be other tenants, they have their first turn before these have their second.
      tenants = all ? turn.more : []
    }
    if (all) break
  }
  return { jobs, after, contended }
}

/** One turn of each tenant, as long as there is room. */
async function giveTurns(
  tx: SystemTransaction,
  tenants: readonly TenantTurn[],
  claim: ClaimTerms,
  limit: number,
): Promise<Claimed & { more: TenantTurn[]; exhausted: TenantId[] }> {
  const share = Math.max(Math.floor(limit / tenants.length), 1)
  const jobs: ClaimedJob[] = []
  const more: TenantTurn[] = []
  const exhausted: TenantId[] = []
  let after = FIRST_TENANT
  let contended = false
  for (const tenant of tenants) {
    const wanted = Math.min(share, limit - jobs.length)
    if (wanted === 0) break
    after = tenant.tenantId
    const taken = await claimOf(tx, tenant, claim, wanted)
    contended ||= taken === 'contended'
    if (taken !== 'contended') jobs.push(...taken)
    if (taken !== 'contended' && taken.length === wanted) more.push(tenant)
    else exhausted.push(tenant.tenantId)
  }
  return { jobs, after, contended, more, exhausted }
}

/** Where a worker begins with its turns: at any tenant, so that many workers do not serve the same one first. */
export async function randomCursor(tx: SystemTransaction, random: () => number): Promise<string> {
  const ready = await tx.all(tenantsReady, { after: FIRST_TENANT, limit: TENANTS_DRAWN_FROM })
  return ready[Math.floor(random() * ready.length)]?.tenantId ?? FIRST_TENANT
}

/** Makes jobs that waited for a time, and are due, `queued`. Answers how many. */
export function promoteDue(tx: SystemTransaction, at: EpochMs): Promise<number> {
  return tx.run(promoteScheduled, { at, limit: PROMOTED_MAX })
}

/**
 * Claims those of the ticketed jobs that are queued and within their caps. Those at a cap, or of a kind that this
 * worker does not take, are marked as not ticketed, so that they get a ticket again later.
 */
export async function claimTickets(
  tx: SystemTransaction,
  claim: ClaimTerms & { readonly tickets: readonly Ticket[] },
): Promise<readonly ClaimedJob[]> {
  const ids = Map.groupBy(claim.tickets, ({ tenantId }) => tenantId)
  const jobs: ClaimedJob[] = []
  // In one order, so that no two claims wait for each other's tenant.
  for (const tenantId of [...ids.keys()].sort()) {
    const tickets = (ids.get(tenantId) ?? []).map(({ jobId }) => jobId)
    jobs.push(...(await claimTicketsOf(tx, tenantId, [...new Set(tickets)], claim)))
  }
  return jobs
}

interface TenantTurn {
  readonly tenantId: TenantId
  readonly cap: number | undefined
}

function valuesOf({ owner, at, leaseMs, kinds }: ClaimTerms) {
  return { owner, at, leaseUntil: at + leaseMs, kinds: JSON.stringify(kinds) }
}

/** Tenants with queued jobs from the cursor on and round again, each once. */
async function readyTenants(tx: SystemTransaction, claim: Claim, limit: number): Promise<TenantTurn[]> {
  const { after, tenantCap } = claim
  const later = await tx.all(tenantsReady, { after, limit })
  const missing = limit - later.length
  const earlier =
    after === FIRST_TENANT || missing <= 0
      ? []
      : await tx.all(tenantsReady, { after: FIRST_TENANT, limit: missing })
  const turns = [...later, ...earlier.filter(({ tenantId }) => tenantId <= after)]
  return turns.map(({ tenantId, maxConcurrentJobs }) => ({
    tenantId,
    cap: maxConcurrentJobs ?? tenantCap,
  }))
}

async function claimOf(
  tx: SystemTransaction,
  { tenantId, cap }: TenantTurn,
  claim: ClaimTerms,
  limit: number,
): Promise<readonly ClaimedJob[] | 'contended'> {
  const tenant = tx.forTenant(tenantId)
  const values = valuesOf(claim)
  const { kinds } = values
  const heads = (await tenant.all(cappedHeads, { kinds })).filter(isHead)
  if (cap === undefined && heads.length === 0) return tenant.all(claimFree, { ...values, limit })
  if ((await tx.first(tryTenant, { tenantId })) === undefined) return 'contended'
  const room = await roomOf(tenant, cap)
  const most = Math.min(limit, room.left)
  if (most <= 0) return []
  const candidates = [...(await tenant.all(freeHead, { kinds, limit: most }))]
  const open = heads.filter((head) => room.has(head.definitionId, head.definitionCap))
  // The heads of the definitions come first: no job of a later definition can be among the first `most`.
  for (const { definitionId } of open.toSorted(byRank).slice(0, most)) {
    candidates.push(...(await tenant.all(definitionHead, { kinds, definitionId, limit: most })))
  }
  room.left = most
  return take(tenant, candidates.toSorted(byRank), room, values)
}

async function claimTicketsOf(
  tx: SystemTransaction,
  tenantId: TenantId,
  tickets: readonly JobId[],
  claim: ClaimTerms,
): Promise<readonly ClaimedJob[]> {
  const tenant = tx.forTenant(tenantId)
  const values = valuesOf(claim)
  const ids = JSON.stringify(tickets)
  const caps = await tx.first(tenantCaps, { tenantId })
  const cap = caps?.maxConcurrentJobs ?? claim.tenantCap
  let candidates = await tenant.all(queuedTickets, { ids })
  if (candidates.length === 0) return []
  const counted = cap !== undefined || candidates.some(({ definitionCap }) => definitionCap !== null)
  if (counted) {
    // Its row first, then its jobs: in the same order as every other claim.
    await tx.first(lockTenant, { tenantId })
    candidates = await tenant.all(queuedTickets, { ids })
  }
  const mine = candidates.filter(({ kind }) => claim.kinds.includes(kind))
  const jobs = counted
    ? await take(tenant, mine.toSorted(byRank), await roomOf(tenant, cap), values)
    : await tenant.all(claimById, { ...values, ids: JSON.stringify(mine.map(({ id }) => id)) })
  const taken = new Set(jobs.map(({ jobId }) => jobId))
  const left = candidates.map(({ id }) => id).filter((id) => !taken.has(id))
  if (left.length > 0) await tenant.run(unticket, { ids: JSON.stringify(left) })
  return jobs
}

interface Candidate {
  readonly id: JobId
  readonly readyRank: number
  readonly definitionId: string | null
  readonly definitionCap: number | null
}

/** Some definitions have no job of the kinds that are taken. */
function isHead(row: { [K in keyof Head]: Head[K] | null }): row is Head {
  return row.id !== null
}

interface Head extends Candidate {
  readonly definitionId: string
}

function byRank(a: Pick<Candidate, 'id' | 'readyRank'>, b: Pick<Candidate, 'id' | 'readyRank'>): number {
  return a.readyRank - b.readyRank || (a.id < b.id ? -1 : 1)
}

/** How many more jobs of a tenant may be held, as counted from those that are. */
interface Room {
  left: number
  has(definitionId: string | null, definitionCap: number | null): boolean
  add(definitionId: string | null): void
}

async function roomOf(tenant: TenantTransaction, cap: number | undefined): Promise<Room> {
  const held = new Map<string | null, number>()
  let total = 0
  for (const { definitionId, count } of await tenant.all(heldByDefinition, {})) {
    held.set(definitionId, Number(count))
    total += Number(count)
  }
  const room: Room = {
    left: cap === undefined ? Number.MAX_SAFE_INTEGER : cap - total,
    has: (definitionId, definitionCap) =>
      room.left > 0 && (definitionCap === null || (held.get(definitionId) ?? 0) < definitionCap),
    add(definitionId) {
      room.left -= 1
      held.set(definitionId, (held.get(definitionId) ?? 0) + 1)
    },
  }
  return room
}

/** Claims the first of the candidates that there is room for. */
async function take(
  tenant: TenantTransaction,
  candidates: readonly Candidate[],
  room: Room,
  values: ReturnType<typeof valuesOf>,
): Promise<readonly ClaimedJob[]> {
  const ids: JobId[] = []
  for (const { id, definitionId, definitionCap } of candidates) {
    if (!room.has(definitionId, definitionCap)) continue
    room.add(definitionId)
    ids.push(id)
  }
  return ids.length === 0 ? [] : tenant.all(claimById, { ...values, ids: JSON.stringify(ids) })
}
