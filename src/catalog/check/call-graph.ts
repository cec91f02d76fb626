// The graphs of published agents and of published workflows, walked along those that they may call.

import { AppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { lockUsed, selectVersion } from '../definitions/definition-statements.ts'
import { KINDS } from '../kind.ts'
import { type Defined, type Reference, referencesOf } from './references.ts'

/** How many others of its kind an agent or a workflow may reach. */
const REACHED_MAX = 1_000

export type Calling = Extract<Defined, { readonly kind: 'agent' | 'workflow' }>

/** Those of its own kind that it calls. */
export function callsOf(defined: Calling): readonly Reference[] {
  return referencesOf(defined).filter(({ kind }) => kind === defined.kind)
}

/** The shortest way from an agent or a workflow through those that it calls back to itself: `['a', 'b', 'a']`. */
export async function findCircle(
  tx: TenantTransaction,
  defined: Calling,
): Promise<readonly string[] | undefined> {
  const { kind } = defined
  const start = defined.definition.name
  const reached = new Set<string>()
  let level = callsOf(defined).map(({ name }) => [start, name])
  while (level.length > 0) {
    const next: string[][] = []
    for (const trail of level) {
      const name = trail.at(-1) ?? ''
      if (name === start) return trail
      if (reached.has(name)) continue
      reached.add(name)
      if (reached.size > REACHED_MAX) throw tooMany(defined)
      for (const below of await publishedCalls(tx, kind, name)) next.push([...trail, below])
    }
    level = next
  }
  return undefined
}

/** None where nothing of that name is published. The row is held, so that two changes cannot close a circle together. */
async function publishedCalls(
  tx: TenantTransaction,
  kind: Calling['kind'],
  name: string,
): Promise<readonly string[]> {
  const head = await tx.first(lockUsed, { kind, name })
  if (typeof head?.publishedVersion !== 'number') return []
  const version = await tx.first(selectVersion, { id: head.id, version: head.publishedVersion })
  if (version === undefined) return []
  const wire = JSON.parse(version.body) as Json
  const published: Calling =
    kind === 'agent'
      ? { kind, definition: KINDS.agent.codec.read(wire) }
      : { kind, definition: KINDS.workflow.codec.read(wire) }
  return callsOf(published).map((call) => call.name)
}

function tooMany({ kind, definition: { name } }: Calling): AppError {
  const message = `reach more than ${REACHED_MAX} ${kind}s`
  return new AppError(
    'definition.invalid',
    `The calls of ${kind} "${name}" ${message}: have it call fewer.`,
    {
      errors: [{ path: kind === 'agent' ? '/sub_agents' : '/nodes', message }],
    },
  )
}
