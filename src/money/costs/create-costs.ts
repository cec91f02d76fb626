// Costs, put together: what the API asks for.

import type { RerateId, TenantId } from '../../base/ids.ts'
import type { Clock } from '../../base/time.ts'
import { createVersionReader } from '../../catalog/versions/version-reader.ts'
import type { CostEntity, CostInput } from '../../contract/cost.ts'
import type { Principal } from '../../contract/principal.ts'
import type { Budgets } from '../../runtime/budgets.ts'
import type { Database } from '../../storage/database.ts'
import type { PriceBook } from '../prices/price-book.ts'
import type { CostRow } from './cost-store.ts'
import { costsOfIds } from './cost-store.ts'
import { type CostQuery, type CostsOfEntity, costsOfEntity } from './entity-costs.ts'
import { type Estimate, type EstimateInput, estimateCost } from './estimate/estimate-cost.ts'
import { type FoundHint, findHints, type HintRange } from './hints/find-hints.ts'
import { type Entry, type EntryQuery, listCosts } from './list-costs.ts'
import { type CostContext, recordCosts } from './record-costs.ts'
import { type MonthlyReport, monthlyReport } from './report/monthly-report.ts'
import {
  dryRerate,
  getRerate,
  listRerates,
  type RerateInput,
  type Rerating,
  rerate,
} from './rerate/rerate.ts'
import type { RerateRow } from './rerate/rerate-store.ts'

export interface CostsDeps {
  readonly db: Database
  readonly clock: Clock
  readonly pricesOf: (tenantId: TenantId) => Promise<PriceBook>
  readonly charge: Budgets['charge']
}

interface Listed<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | undefined
}

export interface Costs {
  record(
    principal: Principal,
    inputs: readonly CostInput[],
    context: CostContext,
  ): Promise<readonly CostRow[]>
  /** Those that were recorded, by the id that the context of `record` was told. */
  recorded(tenantId: TenantId, id: string): Promise<readonly CostRow[]>
  list(tenantId: TenantId, query: EntryQuery): Promise<Listed<Entry>>
  of(tenantId: TenantId, type: CostEntity, id: string, query: CostQuery): Promise<CostsOfEntity>
  estimate(tenantId: TenantId, input: EstimateInput): Promise<Estimate>
  dryRerate(principal: Principal, input: RerateInput): Promise<Rerating>
  rerate(principal: Principal, input: RerateInput, context: CostContext): Promise<Rerating>
  getRerate(tenantId: TenantId, id: RerateId): Promise<Rerating>
  listRerates(
    tenantId: TenantId,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Listed<RerateRow>>
  report(tenantId: TenantId, month: string, timeZone: string | undefined): Promise<MonthlyReport>
  hints(tenantId: TenantId, range: HintRange): Promise<readonly FoundHint[]>
}

export function createCosts(deps: CostsDeps): Costs {
  const { db, clock } = deps
  const versions = createVersionReader(db, clock)
  return {
    record: (principal, inputs, context) => recordCosts(deps, principal, inputs, context),
    recorded: (tenantId, id) => costsOfIds(db, tenantId, id),
    list: (tenantId, query) => listCosts(db, tenantId, query),
    of: (tenantId, type, id, query) => costsOfEntity(deps, tenantId, type, id, query),
    estimate: (tenantId, input) => estimateCost({ ...deps, versions }, tenantId, input),
    dryRerate: (principal, input) => dryRerate(deps, principal, input),
    rerate: (principal, input, context) => rerate(deps, principal, input, context),
    getRerate: (tenantId, id) => getRerate(db, tenantId, id),
    listRerates: (tenantId, page) => listRerates(db, tenantId, page),
    report: (tenantId, month, timeZone) => monthlyReport(deps, tenantId, month, timeZone),
    hints: (tenantId, range) => findHints(deps, tenantId, range),
  }
}
