// Costs that are no model calls, in the database. SQL in, types out; no decision about money.

import type { CostId, TenantId } from '../../base/ids.ts'
import { newId } from '../../base/ids.ts'
import type { Nanos } from '../../base/money.ts'
import type { EpochMs } from '../../base/time.ts'
import type { CostType, Dimensions } from '../../contract/money.ts'
import type { Database, TenantTransaction } from '../../storage/database.ts'
import { textsOf } from '../../storage/dialect.ts'
import type { RowOf } from '../../storage/schema/tables.ts'
import { type Bind, statement } from '../../storage/statement.ts'

export type CostRow = RowOf<'costs'>

export interface NewCost {
  readonly type: CostType
  readonly of: Dimensions
  readonly amountNanos: Nanos
  readonly quantity: number | null
  readonly unit: string | null
  /** Of a tool: `tool/<name>`, the subject of its price. */
  readonly description: string
  /** The fact that it stands for: it is recorded once. Null: nothing says that two of them are the same. */
  readonly factKey: string | null
  readonly replay: boolean
  readonly createdBy: string
  readonly at: EpochMs
  readonly acceptedAt: EpochMs
}

/** Records a cost; the first of a fact stays. Answers the one that holds, and whether this was it. */
export async function insertCost(
  tx: TenantTransaction,
  fact: NewCost,
): Promise<{ readonly row: CostRow; readonly added: boolean }> {
  const id = newId('cost', fact.acceptedAt)
  const factKey = fact.factKey ?? id
  const { of, at: occurredAt, replay, ...rest } = fact
  const added = await tx.run(insertRow, { ...rest, ...of, id, factKey, replay: replay ? 1 : 0, occurredAt })
  const row = await tx.first(costByFact, { factKey })
  if (row === undefined) throw new Error(`The cost of "${factKey}" was not written.`)
  return { row, added: added > 0 }
}

type Values = Omit<CostRow, 'tenantId'>

const insertRow = statement('costs.insert', (db, p: Bind<Values>) =>
  db
    .insertInto('costs')
    .values({
      tenantId: p.tenantId,
      id: p.id,
      type: p.type,
      runId: p.runId,
      agentId: p.agentId,
      workflowId: p.workflowId,
      userId: p.userId,
      apiKeyId: p.apiKeyId,
      projectId: p.projectId,
      amountNanos: p.amountNanos,
      quantity: p.quantity,
      unit: p.unit,
      description: p.description,
      factKey: p.factKey,
      replay: p.replay,
      createdBy: p.createdBy,
      occurredAt: p.occurredAt,
      acceptedAt: p.acceptedAt,
    })
    .onConflict((conflict) => conflict.columns(['tenantId', 'factKey']).doNothing()),
)

const costByFact = statement('costs.by-fact', (db, p: Bind<{ readonly factKey: string }>) =>
  db.selectFrom('costs').selectAll().where('tenantId', '=', p.tenantId).where('factKey', '=', p.factKey),
)

/** The costs of a JSON array of ids, in its order. */
export async function costsOfIds(
  db: Database,
  tenantId: TenantId,
  array: string,
): Promise<readonly CostRow[]> {
  const rows = await db.tenant(tenantId).read((reader) => reader.all(costsById, { ids: array }))
  const byId = new Map(rows.map((row) => [row.id, row]))
  const ids = JSON.parse(array) as readonly CostId[]
  return ids.flatMap((id) => byId.get(id) ?? [])
}

const costsById = statement('costs.by-ids', (db, p: Bind<{ readonly ids: string }>, dialect) =>
  db
    .selectFrom('costs')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('id', 'in', textsOf<CostId>(dialect, p.ids)),
)
