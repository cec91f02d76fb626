// Many jobs as one bound value: a JSON array of `[tenantId, jobId, fence]`, and the table that a statement makes of it.

import { sql } from 'kysely'
import type { JobId, TenantId } from '../base/ids.ts'
import { elementsOf } from '../storage/dialect.ts'
import type { Dialect } from '../storage/schema/dialect.ts'

export interface JobKey {
  tenantId: TenantId
  id: JobId
  fence: number
}

export function keyTexts(jobs: readonly Readonly<JobKey>[]): string {
  return JSON.stringify(jobs.map(({ tenantId, id, fence }) => [tenantId, id, fence]))
}

/** The table `given` with the keys that are bound. */
export function givenKeys(dialect: Dialect, keys: string) {
  const rows = elementsOf(dialect, keys)
  return sql<JobKey>`(select value->>0 as tenant_id, value->>1 as id, cast(value->>2 as bigint) as fence from ${rows})`.as(
    'given',
  )
}
