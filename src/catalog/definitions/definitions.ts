// The use cases of one kind of definition: written once, for agents, tools and workflows alike.

import type { Definitions, Kind } from '../catalog.ts'
import { createReads } from './definition-reads.ts'
import type { WriteDeps } from './definition-writes.ts'
import { createWrites } from './definition-writes.ts'

export function createDefinitions<K extends Kind>(deps: WriteDeps<K>): Definitions<K> {
  return { ...createReads(deps.db, deps.data), ...createWrites(deps) }
}
