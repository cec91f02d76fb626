// How definitions change, step by step inside a transaction. Callers hold the head's row; each step tells the audit log.

import { AppError } from '../../base/errors.ts'
import type { DefinitionId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import { appendAudit } from '../../events/append.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import type { Kind } from '../catalog.ts'
import type { Content } from '../digest.ts'
import type { HeadRow, VersionRow } from './definition-rows.ts'
import { versionNotFound } from './definition-rows.ts'
import {
  insertHead,
  insertVersion,
  selectPublishedBefore,
  selectVersion,
  setVersionStatus,
  updateHead,
} from './definition-statements.ts'
import { isVersionNumber } from './page.ts'

/** One transaction of one actor. */
export interface Unit {
  readonly tx: TenantTransaction
  readonly kind: Kind
  readonly actor: string
  readonly requestId: string | undefined
  readonly at: EpochMs
}

/** What is to be stored: checked, canonical, under its name. */
export interface NewContent extends Content {
  readonly name: string
}

/** Version 1 of something new. Throws `<kind>.name-taken`. */
export async function addDefinition(
  unit: Unit,
  id: DefinitionId,
  content: NewContent,
  publish: boolean,
): Promise<void> {
  const { tx, kind, at, actor } = unit
  const { name, digest, body } = content
  const added = await tx.run(insertHead, { kind, id, name, publishedVersion: publish ? 1 : null, at })
  if (added === 0) throw nameTaken(kind, name)
  const status = publish ? 'published' : 'draft'
  await tx.run(insertVersion, { id, version: 1, status, digest, body, at, createdBy: actor })
  await record(unit, 'created', id, { name, version: 1, before: null, after: digest })
  if (publish) await record(unit, 'published', id, { name, version: 1, before: null, after: digest })
}

/** A new draft after the latest version, unless its content is the same. Answers the head as it is then. */
export async function addVersion(unit: Unit, head: HeadRow, { digest, body }: Content): Promise<HeadRow> {
  const { tx, at, actor } = unit
  const { id, name } = head
  const latest = await versionNumbered(unit, head, head.latestVersion)
  if (latest.digest === digest) return head
  const version = head.latestVersion + 1
  await tx.run(insertVersion, { id, version, status: 'draft', digest, body, at, createdBy: actor })
  const changed = await setHead(unit, { ...head, latestVersion: version })
  await record(unit, 'updated', id, { name, version, before: latest.digest, after: digest })
  return changed
}

/** Publishes a version; the one before becomes archived. Does nothing where it is published already. */
export async function setPublished(
  unit: Unit,
  head: HeadRow,
  next: VersionRow,
  change: 'published' | 'rolled-back',
): Promise<void> {
  const { id, name, publishedVersion } = head
  if (next.version === publishedVersion) return
  const before = await retire(unit, head)
  await unit.tx.run(setVersionStatus, { id, version: next.version, status: 'published' })
  await setHead(unit, { ...head, publishedVersion: next.version })
  await record(unit, change, id, {
    name,
    version: next.version,
    before: before?.digest ?? null,
    after: next.digest,
  })
}

/** Throws `version.not-found`. */
export async function versionNumbered(
  { tx, kind }: Unit,
  { id }: HeadRow,
  version: number,
): Promise<VersionRow> {
  const row = isVersionNumber(version) ? await tx.first(selectVersion, { id, version }) : undefined
  if (row === undefined) throw versionNotFound(kind, version)
  return row
}

/** A version that was published once: the one numbered, else the newest below the one that is published now. */
export async function earlierVersion(
  unit: Unit,
  head: HeadRow,
  version: number | undefined,
): Promise<VersionRow> {
  const row =
    version === undefined ? await publishedBefore(unit, head) : await versionNumbered(unit, head, version)
  if (row.status === 'draft') {
    throw new AppError('version.conflict', `Version ${row.version} was never published: publish it instead.`)
  }
  return row
}

async function publishedBefore({ tx, kind }: Unit, { id, publishedVersion }: HeadRow): Promise<VersionRow> {
  const below = publishedVersion === null ? undefined : { id, version: publishedVersion }
  const row = below && (await tx.first(selectPublishedBefore, below))
  if (row === undefined) {
    throw new AppError(
      'version.not-found',
      `No earlier version of the ${kind} was ever published: there is nothing to go back to.`,
    )
  }
  return row
}

/** Nothing new runs it, its name is free again, and its versions stay. */
export async function archiveHead(unit: Unit, head: HeadRow): Promise<void> {
  const { id, name, latestVersion } = head
  const before = await retire(unit, head)
  await setHead(unit, { ...head, publishedVersion: null, archivedAt: unit.at })
  await record(unit, 'archived', id, {
    name,
    version: before?.version ?? latestVersion,
    before: before?.digest ?? null,
    after: null,
  })
}

async function setHead({ tx, at }: Unit, head: HeadRow): Promise<HeadRow> {
  const { id, latestVersion, publishedVersion, archivedAt } = head
  await tx.run(updateHead, { id, latestVersion, publishedVersion, archivedAt, at })
  return { ...head, updatedAt: at }
}

/** The published version, which is published no more; undefined where there is none. */
async function retire(unit: Unit, head: HeadRow): Promise<VersionRow | undefined> {
  const { id, publishedVersion } = head
  if (publishedVersion === null) return undefined
  await unit.tx.run(setVersionStatus, { id, version: publishedVersion, status: 'archived' })
  return versionNumbered(unit, head, publishedVersion)
}

type ChangeName = 'created' | 'updated' | 'published' | 'rolled-back' | 'archived'

interface ChangeData {
  readonly [key: string]: Json
  readonly name: string
  readonly version: number
  /** Digests: of what it was, and of what it is. */
  readonly before: string | null
  readonly after: string | null
}

async function record(
  unit: Unit,
  change: ChangeName,
  subject: DefinitionId,
  data: ChangeData,
): Promise<void> {
  const { tx, kind, actor, requestId, at } = unit
  await appendAudit(tx, { type: `${kind}.${change}`, actor, subject, data, requestId, at })
}

function nameTaken(kind: Kind, name: string): AppError {
  const article = kind === 'agent' ? 'an' : 'a'
  return new AppError(
    `${kind}.name-taken`,
    `There is ${article} ${kind} "${name}" already: take another name, or update that one.`,
  )
}
