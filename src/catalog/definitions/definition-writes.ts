// Changing definitions: a change, its audit fact and what the caller records with it are one transaction.

import { AppError } from '../../base/errors.ts'
import type { DefinitionId, TenantId } from '../../base/ids.ts'
import { newId } from '../../base/ids.ts'
import type { Clock } from '../../base/time.ts'
import type { Principal } from '../../contract/principal.ts'
import { actorOf } from '../../contract/principal.ts'
import type { Database, TenantTransaction } from '../../storage/database.ts'
import type { Definitions, Head, Kind, Resource, WriteContext } from '../catalog.ts'
import type { Rules } from '../check/rules.ts'
import type { KindData } from '../kind.ts'
import { requireResource } from './definition-reads.ts'
import type { HeadRow, VersionRow } from './definition-rows.ts'
import { definitionId, findHead, resourceOf } from './definition-rows.ts'
import { lockHead } from './definition-statements.ts'
import type { Unit } from './transition.ts'
import {
  addDefinition,
  addVersion,
  archiveHead,
  earlierVersion,
  setPublished,
  versionNumbered,
} from './transition.ts'

export interface WriteDeps<K extends Kind> {
  readonly db: Database
  readonly clock: Clock
  readonly data: KindData<K>
  readonly rules: Rules<K>
  /** Told after the commit. */
  changed(tenantId: TenantId, head: Head<K>): void
}

type Writes<K extends Kind> = Pick<Definitions<K>, 'create' | 'update' | 'publish' | 'rollback' | 'archive'>

export function createWrites<K extends Kind>(deps: WriteDeps<K>): Writes<K> {
  const { data, rules } = deps
  const { kind } = data

  /** Runs a change of the head that is meant, which nobody else changes meanwhile. */
  const changeHead = (
    principal: Principal,
    idOrName: string,
    context: WriteContext,
    work: HeadWork,
  ): Promise<Resource<K>> =>
    change(deps, principal, context, async (unit) => {
      const head = await lock(unit.tx, kind, idOrName)
      if (head.archivedAt !== null) throw archived(kind)
      await work(unit, head)
      return head.id
    })

  const publishStored = async (
    unit: Unit,
    head: HeadRow,
    next: VersionRow,
    change: 'published' | 'rolled-back',
  ) => {
    if (next.version === head.publishedVersion) return
    await rules.checkStored(unit.tx, next)
    await setPublished(unit, head, next, change)
  }

  return {
    create: async (principal, definition, { publish }, context) => {
      const candidate = rules.check(definition, { isNew: true, publish })
      return change(deps, principal, context, async (unit) => {
        if (publish) await rules.checkUse(unit.tx, candidate)
        const id = definitionId(newId(kind, unit.at))
        await addDefinition(unit, id, candidate, publish)
        return id
      })
    },

    update: async (principal, idOrName, definition, { publish, expectedVersion }, context) => {
      const candidate = rules.check(definition, { isNew: false, publish })
      return changeHead(principal, idOrName, context, async (unit, head) => {
        checkExpected(kind, head, expectedVersion)
        rules.checkName(head, candidate)
        if (publish) await rules.checkUse(unit.tx, candidate)
        const now = await addVersion(unit, head, candidate)
        if (publish)
          await setPublished(unit, now, await versionNumbered(unit, now, now.latestVersion), 'published')
      })
    },

    publish: (principal, idOrName, version, context) =>
      changeHead(principal, idOrName, context, async (unit, head) => {
        const next = await versionNumbered(unit, head, version ?? head.latestVersion)
        await publishStored(unit, head, next, 'published')
      }),

    rollback: (principal, idOrName, version, context) =>
      changeHead(principal, idOrName, context, async (unit, head) => {
        await publishStored(unit, head, await earlierVersion(unit, head, version), 'rolled-back')
      }),

    archive: async (principal, idOrName, context) => {
      const { head } = await change(deps, principal, context, async (unit) => {
        const row = await lock(unit.tx, kind, idOrName)
        if (row.archivedAt === null) {
          await rules.checkUnused(unit.tx, row)
          await archiveHead(unit, row)
        }
        return row.id
      })
      return head
    },
  }
}

type HeadWork = (unit: Unit, head: HeadRow) => Promise<void>

/** The transaction of a change; what it answers is read from what it stored. */
async function change<K extends Kind>(
  { db, clock, data, changed }: WriteDeps<K>,
  principal: Principal,
  context: WriteContext,
  work: (unit: Unit) => Promise<DefinitionId>,
): Promise<Resource<K>> {
  const { tenantId } = principal
  const resource = await db.tenant(tenantId).write(async (tx) => {
    const unit: Unit = {
      tx,
      kind: data.kind,
      actor: actorOf(principal),
      requestId: context.requestId,
      at: clock(),
    }
    const id = await work(unit)
    await context.inTransaction?.(tx, id)
    return resourceOf(data, await requireResource(tx, data.kind, id))
  })
  changed(tenantId, resource.head)
  return resource
}

async function lock(tx: TenantTransaction, kind: Kind, idOrName: string): Promise<HeadRow> {
  const { id } = await findHead(tx, kind, idOrName)
  // Read again: another change may have come first, and this one goes on from what that left.
  return (await tx.first(lockHead, { kind, id })) ?? findHead(tx, kind, id)
}

function checkExpected(kind: Kind, head: HeadRow, expected: number | undefined): void {
  if (expected === undefined || expected === head.latestVersion) return
  throw new AppError(
    'version.conflict',
    `The ${kind} is at version ${head.latestVersion}, not ${expected}: read it again and repeat your change.`,
  )
}

function archived(kind: Kind): AppError {
  return new AppError(
    `${kind}.archived`,
    `The ${kind} is archived and does not change any more: create another one.`,
  )
}
