// The tables as a list, for what treats all tables alike: the guard, the migrations, the privacy planner.

import type { Table } from './table.ts'
import { TABLES } from './tables.ts'

// A table's type knows its columns by name, which a list of different tables cannot say.
export const ALL_TABLES = Object.values(TABLES) as unknown as readonly Table[]
