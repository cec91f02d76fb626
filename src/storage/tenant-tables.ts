// Which tables the guard knows, by their names in the database.

import { ALL_TABLES } from './schema/all-tables.ts'

export const TENANT_TABLES: ReadonlySet<string> = namesOf(true)
export const PLATFORM_TABLES: ReadonlySet<string> = namesOf(false)

function namesOf(tenant: boolean): Set<string> {
  return new Set(ALL_TABLES.filter((table) => table.tenant === tenant).map((table) => table.name))
}
