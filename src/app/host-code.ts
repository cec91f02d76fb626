// The host project's code in this process: loaded from its folder, and its definitions brought into the catalog.
// Owns neither; it never removes what is no longer in the code. Called by dev, serve and projects made by init.

import type { Catalog } from '../catalog/catalog.ts'
import type { Principal } from '../contract/principal.ts'
import { definitionSetOf } from './host/definition-set.ts'
import type { HostProject } from './host/host-project.ts'
import { type SyncedDefinition, syncDefinitions } from './host/sync-definitions.ts'

export { EMPTY_PROJECT, type HostProject } from './host/host-project.ts'
export { HOST_FOLDERS, loadHostProject } from './host/load-host-project.ts'

/** Creates, updates and publishes what the project defines. The same content adds no version. */
export function syncHostProject(
  app: { readonly catalog: Catalog },
  principal: Principal,
  project: HostProject,
): Promise<readonly SyncedDefinition[]> {
  return syncDefinitions(app.catalog, principal, definitionSetOf(project))
}
