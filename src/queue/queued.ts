// Parts of statements that look for queued jobs.

import { type Kysely, sql } from 'kysely'
import type { TenantId } from '../base/ids.ts'
import type { Tables } from '../storage/statement.ts'

/** The state, said so that no planner takes the index of all that is queued where a few keys are given. */
export const QUEUED_BY_KEY = sql<string>`(state || '')`

/**
 * The table `capped`: a tenant's definitions with queued jobs that a cap is on, and a null at the end. A loose index
 * scan: each step seeks the next definition, however many jobs the last one has.
 */
export function withCapped(db: Kysely<Tables>, tenantId: TenantId) {
  return db.withRecursive('capped(definitionId)', (cte) =>
    cte
      .selectFrom('jobs')
      .select((eb) => eb.fn.min<string | null>('jobs.definitionId').as('definitionId'))
      .where('tenantId', '=', tenantId)
      .where('state', '=', 'queued')
      .where('definitionCap', 'is not', null)
      .unionAll(
        cte
          .selectFrom('capped')
          .select((eb) =>
            eb
              .selectFrom('jobs')
              .select((inner) => inner.fn.min('jobs.definitionId').as('next'))
              .where('tenantId', '=', tenantId)
              .where('state', '=', 'queued')
              .where('definitionCap', 'is not', null)
              .whereRef('jobs.definitionId', '>', 'capped.definitionId')
              .as('definitionId'),
          )
          .where('capped.definitionId', 'is not', null),
      ),
  )
}
