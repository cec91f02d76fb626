import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitsOf } from '../../../test/support/budgeted.ts'
import { addBudget, NOW, reservation } from '../../../test/support/budgets.ts'
import { openTestDatabase } from '../../../test/support/database.ts'
import { newId } from '../../base/ids.ts'
import { createReservations } from '../../money/budgets/holds/reserve.ts'
import { freed, openBudgetWait } from '../budget-waits.ts'

it('no wake-up is lost', async () => {
  await using db = await openTestDatabase('postgres')
  const tenantId = newId('tenant')
  const budgets = createReservations({ freed })
  await addBudget(db, tenantId, { mode: 'ask', period: 'once', limitNanos: 100n })
  const first = reservation(100n)
  const second = reservation(50n)
  const tenant = db.tenant(tenantId)
  assert.equal((await tenant.write((tx) => budgets.reserve(tx, first))).outcome, 'held')
  let settling: Promise<void> = Promise.resolve()
  const got = await tenant.write(async (tx) => {
    const found = await budgets.reserve(tx, second)
    if (found.outcome !== 'wait') return found
    settling = tenant.write((other) => budgets.settle(other, first.owner, 1n, NOW))
    await Promise.race([settling, sleep(300)])
    const { budgetId, neededNanos, againAt = null } = found
    await openBudgetWait(tx, {
      runId: second.of.runId ?? assert.fail('it has a run'),
      step: 1,
      budgetId,
      neededNanos,
      againAt,
      createdAt: NOW,
    })
    return found
  })
  await settling
  const waits = await waitsOf(db)
  console.log(got.outcome, waits)
  assert.ok(
    waits.every(({ againAt }) => againAt !== null),
    'it waits for ever',
  )
})
