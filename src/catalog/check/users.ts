// Who uses a definition: published agents and workflows that name it. Drafts do not hold anything back.

import { AppError } from '../../base/errors.ts'
import type { DefinitionId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { TenantReader } from '../../storage/database.ts'
import type { HeadRow, ResourceRow } from '../definitions/definition-rows.ts'
import { selectMentions } from '../definitions/resource-statements.ts'
import { KINDS } from '../kind.ts'
import { type Defined, referencesOf } from './references.ts'

const USERS_SHOWN_MAX = 10
const MENTIONS_PER_PAGE = 100

/** Throws `definition.in-use`, which names users, where a published agent or workflow uses it. */
export async function checkUnused(reader: TenantReader, head: HeadRow): Promise<void> {
  const users: string[] = []
  let after: DefinitionId | '' = ''
  // The texts that mention the name; each page begins after the last one, so the loop ends with the tenant's definitions.
  for (;;) {
    const params = { like: `%"${head.name}"%`, after, limit: MENTIONS_PER_PAGE }
    const rows: readonly ResourceRow[] = await reader.all(selectMentions, params)
    users.push(
      ...rows
        .filter((row) => row.id !== head.id && uses(row, head))
        .map(({ kind, name }) => `${kind} "${name}"`),
    )
    after = rows.at(-1)?.id ?? ''
    if (rows.length < MENTIONS_PER_PAGE || users.length > USERS_SHOWN_MAX) break
  }
  if (users.length > 0) throw inUse(head, users)
}

function uses(row: ResourceRow, { kind, name }: HeadRow): boolean {
  return referencesOf(definedBy(row)).some((reference) => reference.kind === kind && reference.name === name)
}

function definedBy({ kind, body }: ResourceRow): Defined {
  const wire = JSON.parse(body) as Json
  switch (kind) {
    case 'agent':
      return { kind, definition: KINDS.agent.codec.read(wire) }
    case 'workflow':
      return { kind, definition: KINDS.workflow.codec.read(wire) }
    case 'tool':
      return { kind, definition: KINDS.tool.codec.read(wire) }
    default:
      return kind satisfies never
  }
}

function inUse({ kind, name }: HeadRow, users: readonly string[]): AppError {
  const shown = users.slice(0, USERS_SHOWN_MAX).join(', ')
  const more = users.length > USERS_SHOWN_MAX ? ' and others' : ''
  return new AppError(
    'definition.in-use',
    `The ${kind} "${name}" is used by ${shown}${more}: publish versions of these without it, or archive them first.`,
  )
}
