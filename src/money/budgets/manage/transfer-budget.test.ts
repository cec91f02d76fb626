import assert from 'node:assert/strict'
import { it } from 'node:test'
import { addBudget, NOBODY, NOW, reservation, toldOf } from '../../../../test/support/budgets.ts'
import { forEachDatabase } from '../../../../test/support/database.ts'
import { isAppError } from '../../../base/errors.ts'
import { type BudgetId, newId, type TenantId } from '../../../base/ids.ts'
import { formatUsd } from '../../../base/money.ts'
import { PERMISSIONS } from '../../../contract/permission.ts'
import type { Principal } from '../../../contract/principal.ts'
import { createReservations } from '../holds/reserve.ts'
import { createManagedBudgets } from '../managed-budgets.ts'

const OPERATIONS = 150
const LIMIT = 100n

forEachDatabase((_, open) => {
  it('keeps what is settled and held within the limits while limits move to and fro', async () => {
    await using db = await open()
    const tenantId = newId('tenant')
    const freed = async (): Promise<void> => undefined
    const port = createReservations({ freed })
    const managed = createManagedBudgets({ db, clock: () => NOW, freed })
    const tenant = db.tenant(tenantId)
    const agents = ['agt_a', 'agt_b'] as const
    const ids: BudgetId[] = []
    for (const scopeId of agents)
      ids.push(await addBudget(db, tenantId, { scopeType: 'agent', scopeId, limitNanos: LIMIT }))
    const [a, b] = ids as [BudgetId, BudgetId]

    /** In one statement, so that both are of the same moment. */
    const accounts = () =>
      tenant.read((reader) =>
        reader.query((builder, tenant) =>
          builder
            .selectFrom('budgets')
            .leftJoin('budgetPeriods', (join) =>
              join
                .onRef('budgetPeriods.tenantId', '=', 'budgets.tenantId')
                .onRef('budgetPeriods.budgetId', '=', 'budgets.id'),
            )
            .select(['limitNanos', 'settledNanos', 'heldNanos'])
            .where('budgets.tenantId', '=', tenant),
        ),
      )
    const check = async (): Promise<void> => {
      const found = await accounts()
      assert.equal(
        found.reduce((sum, { limitNanos }) => sum + limitNanos, 0n),
        2n * LIMIT,
      )
      for (const { limitNanos, settledNanos, heldNanos } of found)
        assert.ok((settledNanos ?? 0n) + (heldNanos ?? 0n) <= limitNanos, `more is spent than ${limitNanos}`)
    }

    let refusals = 0
    let moves = 0
    const spend = async (n: number): Promise<void> => {
      const agentId = agents[n % 2] ?? null
      const asked = reservation(7n, { of: { ...NOBODY, agentId, runId: newId('run') } })
      const { outcome } = await tenant.write((tx) => port.reserve(tx, asked))
      if (outcome === 'refused') refusals += 1
      await check()
      if (outcome !== 'held' || n % 5 > 1) return
      if (n % 5 === 0) await tenant.write((tx) => port.release(tx, asked.owner, NOW))
      else await tenant.write((tx) => port.settle(tx, asked.owner, 4n, NOW))
      await check()
    }
    const move = async (n: number): Promise<void> => {
      const [from, to] = n % 2 === 0 ? [a, b] : [b, a]
      const input = { toBudgetId: to, amountUsd: formatUsd(BigInt(1 + (n % 23))) }
      try {
        await managed.transfer(principalOf(tenantId), from, input, { requestId: undefined })
        moves += 1
      } catch (error) {
        if (!isAppError(error, 'request.invalid')) throw error
        refusals += 1
      }
      await check()
    }
    await Promise.all(
      Array.from({ length: OPERATIONS }, (_, n) => (n % 3 === 2 ? move((n - 2) / 3) : spend(n))),
    )
    // Each move is told of both budgets, and both kinds of answer were met.
    const told = (await toldOf(db, tenantId)).filter(({ type }) => type === 'budget.moved')
    assert.equal(told.length, 2 * moves)
    assert.ok(moves > 0 && refusals > 0, `${moves} moves, ${refusals} refusals`)
  })
})

function principalOf(tenantId: TenantId): Principal {
  return {
    tenantId,
    userId: newId('user'),
    kind: 'human',
    apiKeyId: undefined,
    role: 'ADMIN',
    permissions: new Set(PERMISSIONS),
    operator: false,
  }
}
