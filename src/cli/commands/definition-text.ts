// Agents, tools and workflows in words.

import { stringify } from 'yaml'
import type { z } from 'zod'
import { codecOf } from '../../contract/codec.ts'
import type { Column } from '../output/table.ts'
import { fullTime, listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import type { Resource } from './definition-kinds.ts'

/** What a table shows of each; `column` is what matters of its kind. */
export function listColumns<D>(
  session: Session,
  column: Column<Resource<D>>,
): readonly Column<Resource<D>>[] {
  return [
    { title: 'ID', value: ({ id }) => id, keep: true },
    { title: 'NAME', value: ({ name }) => name },
    {
      title: 'VERSION',
      value: (item) => `${item.version} ${item.status}${latestNote(item)}`,
    },
    column,
    {
      title: 'UPDATED',
      value: ({ updatedAt }) => listTime(session.out, updatedAt, session.now()),
      optional: true,
    },
  ]
}

export function detailRows<D>(
  found: Resource<D>,
  nowMs: number,
): readonly (readonly [string, string | undefined])[] {
  return [
    ['id', found.id],
    ['name', found.name],
    ['version', `${found.version} (${found.status}${latestNote(found)})`],
    ['digest', found.digest],
    ['created', fullTime(found.createdAt, nowMs)],
    ['updated', fullTime(found.updatedAt, nowMs)],
    ['archived', fullTime(found.archivedAt, nowMs)],
  ]
}

/** A definition as its file would be. */
export function yamlOf<S extends z.ZodType>(schema: S, definition: z.output<S>): string {
  return stringify(codecOf(schema).encode(definition), { lineWidth: 0 })
}

function latestNote({
  version: shown,
  latestVersion,
}: {
  readonly version: number
  readonly latestVersion: number
}): string {
  return latestVersion === shown ? '' : `, latest ${latestVersion}`
}
