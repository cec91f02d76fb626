// The routes that agents, tools and workflows have alike, made from one description.

import { z } from 'zod'
import type { ErrorCode } from '../../base/errors.ts'
import type { DefinitionKind } from '../definition.ts'
import { pageOf, pageQuery } from '../fields.ts'
import type { Permission } from '../permission.ts'
import { resourceOf, versionDiff, versionOf } from '../resource.ts'
import { type PathParam, route } from '../route.ts'
import { versionParam } from './path-params.ts'

interface Described<D extends z.ZodType, P extends z.ZodType> {
  readonly kind: DefinitionKind
  readonly definition: D
  readonly id: PathParam
  readonly read: Permission
  readonly write: Permission
  readonly remove: Permission
  /** Codes of a definition that cannot be: a name that is taken, a reference that leads nowhere. */
  readonly refusals: readonly ErrorCode[]
  /** What a publish is told. */
  readonly publish: P
}

const versionNumber = z.int().min(1).max(999_999_999)
const publish = z.boolean().optional().meta({ description: 'Publish the new version at once.' })
/** Which version. */
export const which = z.strictObject({ version: versionNumber.optional() })
/** And what becomes of the runs of other versions that are in flight: they finish (the default), or are asked to stop. */
export const whichAndPolicy = which.extend({ inFlight: z.enum(['finish', 'cancel']).optional() })

/** List, create, get, update, delete, versions, publish, rollback and diff of one kind of definition. */
export function definitionRoutes<D extends z.ZodType, P extends z.ZodType>(described: Described<D, P>) {
  const { kind, definition, id, read, write, remove, refusals } = described
  const path = `/${kind}s`
  const shared = { tag: `${kind}s` } as const
  const resource = resourceOf(definition)
  const version = versionOf(definition)
  const archivedCode = `${kind}.archived` as const
  const body = { schema: definition, yaml: true } as const
  return {
    list: route({
      ...shared,
      method: 'GET',
      path,
      permission: read,
      summary: `List ${kind}s, newest first`,
      query: pageQuery.extend({
        archived: z.boolean().optional().meta({ description: 'Archived ones instead of those in use.' }),
      }),
      responses: { 200: pageOf(resource) },
    }),
    create: route({
      ...shared,
      method: 'POST',
      path,
      permission: write,
      summary: `Create ${article(kind)}`,
      description: `Makes version 1 of ${article(kind)}: a draft, or published at once with \`publish=true\`.`,
      query: z.strictObject({ publish }),
      body,
      responses: { 201: resource },
      errors: refusals,
      idempotent: true,
    }),
    get: route({
      ...shared,
      method: 'GET',
      path: `${path}/{id}`,
      permission: read,
      summary: `Get ${article(kind)}`,
      description: 'The published version where there is one, else the latest.',
      params: { id },
      responses: { 200: resource },
    }),
    update: route({
      ...shared,
      method: 'PUT',
      path: `${path}/{id}`,
      permission: write,
      summary: `Add a version of ${article(kind)}`,
      description:
        'The whole definition. The same content as the latest version adds none. With `expected_version` or `If-Match` a change that was made meanwhile is not lost: 409.',
      params: { id },
      query: z.strictObject({ publish, expectedVersion: versionNumber.optional() }),
      body,
      responses: { 200: resource },
      errors: [...refusals, archivedCode, 'version.conflict'],
    }),
    remove: route({
      ...shared,
      method: 'DELETE',
      path: `${path}/{id}`,
      permission: remove,
      summary: `Archive ${article(kind)}`,
      description: 'No new runs; the name is free again; versions stay for the runs that used them.',
      params: { id },
      responses: { 204: null },
      errors: ['definition.in-use'],
    }),
    versions: route({
      ...shared,
      method: 'GET',
      path: `${path}/{id}/versions`,
      permission: read,
      summary: `List the versions of ${article(kind)}`,
      params: { id },
      query: pageQuery,
      responses: { 200: pageOf(version) },
    }),
    version: route({
      ...shared,
      method: 'GET',
      path: `${path}/{id}/versions/{version}`,
      permission: read,
      summary: `Get one version of ${article(kind)}`,
      params: { id, version: versionParam },
      responses: { 200: version },
    }),
    publish: route({
      ...shared,
      method: 'POST',
      path: `${path}/{id}/publish`,
      permission: write,
      summary: `Publish a version of ${article(kind)}`,
      description:
        kind === 'tool'
          ? 'The latest where none is named. Runs that have begun stay on their version.'
          : 'The latest where none is named. Runs that have begun stay on their version and finish; with `in_flight: cancel` those of other versions are asked to stop.',
      params: { id },
      body: { schema: described.publish, optional: true },
      responses: { 200: resource },
      errors: ['version.not-found', archivedCode, ...refusals],
      idempotent: true,
    }),
    rollback: route({
      ...shared,
      method: 'POST',
      path: `${path}/{id}/rollback`,
      permission: write,
      summary: `Publish an older version of ${article(kind)} again`,
      description: 'The one published before, where none is named.',
      params: { id },
      body: { schema: which, optional: true },
      responses: { 200: resource },
      errors: ['version.not-found', 'version.conflict', archivedCode],
      idempotent: true,
    }),
    diff: route({
      ...shared,
      method: 'GET',
      path: `${path}/{id}/diff`,
      permission: read,
      summary: `What changed between two versions of ${article(kind)}`,
      params: { id },
      query: z.strictObject({ from: versionNumber, to: versionNumber }),
      responses: { 200: versionDiff },
      errors: ['version.not-found'],
    }),
  }
}

function article(kind: DefinitionKind): string {
  return kind === 'agent' ? 'an agent' : `a ${kind}`
}
