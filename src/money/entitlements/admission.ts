// A run is accepted where the tenant's plan and standing let it start, and then where its budgets do.

import type { Budgets } from '../../runtime/budgets.ts'
import type { Entitlements } from './entitlements.ts'

/** The budgets, with what plans say of new runs before them. */
export function admittedByPlan(budgets: Budgets, { checkStart }: Pick<Entitlements, 'checkStart'>): Budgets {
  return {
    ...budgets,
    async admit(tx, of, at) {
      await checkStart(tx, at)
      await budgets.admit(tx, of, at)
    },
  }
}
