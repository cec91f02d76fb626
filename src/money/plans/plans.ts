// Use cases of plans: the operator makes versions and archives them, everyone who reads billing sees them.

import { AppError } from '../../base/errors.ts'
import { isId, newId, type PlanId } from '../../base/ids.ts'
import type { Clock, EpochMs } from '../../base/time.ts'
import type { ArchivePlan, CreatePlan } from '../../contract/plan.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import { appendAudit } from '../../events/append.ts'
import type { Database, SystemTransaction, TenantTransaction } from '../../storage/database.ts'
import { checkPlan } from './check-plan.ts'
import { type Plan, type PlanRow, planOf } from './plan.ts'
import {
  countSubscriptions,
  insertPlan,
  lockPlans,
  redirectNext,
  selectAnyPlan,
  selectLastVersion,
  selectPlan,
  selectPlanByKey,
  selectPlans,
  updatePlanState,
} from './plan-store.ts'
import { SEED_PLANS } from './seeds.ts'

export interface BillingContext {
  readonly requestId: string | undefined
  /** Called in the transaction of the change, with the id of what was made or changed. */
  readonly inTransaction?: ((tx: TenantTransaction, id: string) => Promise<void>) | undefined
}

export interface PlanPage {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly state?: PlanRow['state'] | undefined
  readonly key?: string | undefined
}

export interface Plans {
  /** Makes the next version of the plan of that key. Whoever calls has checked that the principal operates the platform. */
  create(principal: Principal, input: CreatePlan, context: BillingContext): Promise<Plan>
  list(page: PlanPage): Promise<{ readonly items: readonly Plan[]; readonly nextCursor: string | undefined }>
  get(id: PlanId): Promise<Plan>
  /** It cannot be subscribed to any more; who has it keeps it. One in use needs a replacement. */
  archive(principal: Principal, id: PlanId, input: ArchivePlan, context: BillingContext): Promise<Plan>
  /** Makes the first plans where there are none; in several processes at once, once. */
  seed(): Promise<void>
}

const PLAN_VERSIONS_MAX = 100_000
/** After every id. */
const LAST = '~'

export function createPlans({ db, clock }: { readonly db: Database; readonly clock: Clock }): Plans {
  return {
    create: (principal, input, context) => {
      const at = clock()
      const actor = actorOf(principal)
      return db.system.write(async (system) => {
        const plan = await add(system, input, actor, at)
        const tx = system.forTenant(principal.tenantId)
        const data = {
          key: plan.key,
          version: plan.version,
          currency: plan.currency,
          base_price: input.basePrice,
        }
        const { requestId } = context
        await appendAudit(tx, { type: 'plan.created', actor, subject: plan.id, data, requestId, at })
        await context.inTransaction?.(tx, plan.id)
        return plan
      })
    },

    async list({ limit, cursor, state, key }) {
      const asked = { before: cursor ?? LAST, limit: limit + 1, state: state ?? null, key: key ?? null }
      const rows = await db.system.read((reader) => reader.all(selectPlans, asked))
      const items = rows.slice(0, limit).map(planOf)
      return { items, nextCursor: rows.length > limit ? items.at(-1)?.id : undefined }
    },

    get: async (id) => found(await db.system.read((reader) => reader.first(selectPlan, { id })), id),

    archive: (principal, id, { replacement }, context) => {
      const at = clock()
      const actor = actorOf(principal)
      return db.system.write(async (system) => {
        await system.first(lockPlans, {})
        const plan = found(await system.first(selectPlan, { id }), id)
        if (plan.state === 'archived') return plan
        const inUse = Number((await system.first(countSubscriptions, { id }))?.count ?? 0)
        const instead = replacement === undefined ? undefined : await replacing(system, plan, replacement)
        if (inUse > 0 && instead === undefined) {
          throw new AppError(
            'plan.in-use',
            `The plan is in use by ${inUse} subscription${inUse === 1 ? '' : 's'}, which would keep it; name the "replacement" that is offered instead.`,
          )
        }
        if (instead !== undefined) await system.run(redirectNext, { id, replacement: instead.id, at })
        await system.run(updatePlanState, { id })
        await appendAudit(system.forTenant(principal.tenantId), {
          type: 'plan.archived',
          actor,
          subject: id,
          data: { key: plan.key, version: plan.version, in_use: inUse, replacement: instead?.id ?? null },
          requestId: context.requestId,
          at,
        })
        return { ...plan, state: 'archived' }
      })
    },

    async seed() {
      if ((await db.system.read((reader) => reader.first(selectAnyPlan, {}))) !== undefined) return
      const at = clock()
      await db.system.write(async (system) => {
        await system.first(lockPlans, {})
        if ((await system.first(selectAnyPlan, {})) !== undefined) return
        for (const plan of SEED_PLANS) await add(system, plan, 'system', at)
      })
    },
  }
}

/** The plan that is meant by an id or, of its newest active version, by its key. */
export async function planNamed(system: SystemTransaction, name: string): Promise<Plan | undefined> {
  const row = isId('plan', name)
    ? await system.first(selectPlan, { id: name })
    : await system.first(selectPlanByKey, { key: name })
  return row && planOf(row)
}

async function add(system: SystemTransaction, input: CreatePlan, actor: string, at: EpochMs): Promise<Plan> {
  const { baseMinor, overage } = checkPlan(input)
  await system.first(lockPlans, {})
  const last = Number((await system.first(selectLastVersion, { key: input.key }))?.version ?? 0)
  if (last >= PLAN_VERSIONS_MAX)
    throw new AppError('request.invalid', `A plan has at most ${PLAN_VERSIONS_MAX} versions.`)
  const id = newId('plan', at)
  const added = await system.run(insertPlan, {
    id,
    key: input.key,
    version: last + 1,
    name: input.name,
    description: input.description ?? '',
    currency: input.currency,
    interval: input.interval,
    baseMinor,
    perSeat: input.perSeat === true ? 1 : 0,
    trialDays: input.trialDays ?? 0,
    included: JSON.stringify(input.included ?? {}),
    overage: JSON.stringify(overage),
    features: JSON.stringify(input.features ?? []),
    limits: JSON.stringify(input.limits ?? {}),
    state: 'active',
    stripePriceId: input.stripePriceId ?? null,
    createdBy: actor,
    createdAt: at,
  })
  if (added !== 1)
    throw new AppError('plan.key-taken', `Somebody made a version of "${input.key}" just now. Try again.`)
  return found(await system.first(selectPlan, { id }), id)
}

async function replacing(system: SystemTransaction, plan: Plan, name: string): Promise<Plan> {
  const instead = await planNamed(system, name)
  if (instead === undefined) throw new AppError('plan.not-found', `There is no plan "${name}".`)
  if (instead.id === plan.id || instead.state !== 'active' || instead.currency !== plan.currency) {
    const message = `Must be another plan that is active and in ${plan.currency}.`
    throw new AppError('request.invalid', 'The plan cannot be replaced by that one; see errors.', {
      errors: [{ path: '/replacement', message }],
    })
  }
  return instead
}

function found(row: PlanRow | undefined, id: PlanId): Plan {
  if (row === undefined) throw new AppError('plan.not-found', `There is no plan "${id}".`)
  return planOf(row)
}
