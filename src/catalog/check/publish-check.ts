// What a definition needs before it can run: everything that it names is there, and nothing calls itself in the end.

import type { FieldError } from '../../base/errors.ts'
import { AppError } from '../../base/errors.ts'
import type { DefinitionId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { ToolEffect } from '../../contract/tool.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import type { Kind } from '../catalog.ts'
import type { HeadRow } from '../definitions/definition-rows.ts'
import { lockUsed, selectVersion } from '../definitions/definition-statements.ts'
import { KINDS } from '../kind.ts'
import { type Calling, callsOf, findCircle } from './call-graph.ts'
import type { Checks } from './checks.ts'
import type { Defined, Reference } from './references.ts'
import { referencesOf } from './references.ts'

/**
 * What is missing, at its place. What is there stays there until the transaction ends.
 * Throws `agent.cycle` where nothing is missing but agents would call each other in a circle; of workflows it is an error.
 */
export async function publishErrors(
  tx: TenantTransaction,
  checks: Checks,
  defined: Defined,
): Promise<FieldError[]> {
  const errors = implementationErrors(checks, defined)
  const find = finder(tx)
  for (const reference of referencesOf(defined)) {
    const itself = reference.kind === defined.kind && reference.name === defined.definition.name
    const error = itself ? undefined : await missing(tx, find, checks, reference)
    if (error !== undefined) errors.push(error)
  }
  if (errors.length === 0 && defined.kind !== 'tool') errors.push(...(await circleErrors(tx, defined)))
  return errors
}

function implementationErrors({ builtinToolNames, codeToolNames }: Checks, defined: Defined): FieldError[] {
  if (defined.kind !== 'tool') return []
  const { implementation } = defined.definition
  const path = '/implementation/name'
  if (implementation.type === 'builtin' && !builtinToolNames.has(implementation.name)) {
    return [{ path, message: `names "${implementation.name}", which is no built-in tool` }]
  }
  if (implementation.type === 'code' && !codeToolNames.has(implementation.name)) {
    return [{ path, message: `names "${implementation.name}", which no code has registered here` }]
  }
  return []
}

type Find = (kind: Kind, name: string) => Promise<HeadRow | undefined>

/** A workflow may name the same tool a thousand times: it is looked for once. */
function finder(tx: TenantTransaction): Find {
  const found = new Map<string, HeadRow | undefined>()
  return async (kind, name) => {
    const key = `${kind} ${name}`
    if (!found.has(key)) found.set(key, await tx.first(lockUsed, { kind, name }))
    return found.get(key)
  }
}

async function missing(
  tx: TenantTransaction,
  find: Find,
  checks: Checks,
  reference: Reference,
): Promise<FieldError | undefined> {
  const { kind, name, path } = reference
  const head = await find(kind, name)
  if (typeof head?.publishedVersion === 'number')
    return retryError(reference, () => publishedEffect(tx, checks, head.id, head.publishedVersion ?? 0))
  if (kind === 'tool' && (checks.codeToolNames.has(name) || checks.builtinToolNames.has(name)))
    return retryError(reference, async () => checks.effectOf?.(name))
  return head === undefined
    ? { path, message: `names "${name}", which is no ${kind} here` }
    : { path, message: `names "${name}", which is not published: publish that ${kind} first` }
}

/** A call that may have had its effect is never made again by itself, whatever a node says. */
async function retryError(
  { kind, name, retriedAt }: Reference,
  effect: () => Promise<ToolEffect | undefined>,
): Promise<FieldError | undefined> {
  if (kind !== 'tool' || retriedAt === undefined || ((await effect()) ?? 'once') !== 'once') return undefined
  return {
    path: retriedAt,
    message: `must be 1: the effect of tool "${name}" is "once", so its call is never tried again by itself`,
  }
}

async function publishedEffect(
  tx: TenantTransaction,
  { effectOf }: Checks,
  id: DefinitionId,
  published: number,
): Promise<ToolEffect | undefined> {
  const version = await tx.first(selectVersion, { id, version: published })
  if (version === undefined) return undefined
  const { effect, implementation } = KINDS.tool.codec.read(JSON.parse(version.body) as Json)
  if (implementation.type === 'http') return effect
  const own = effectOf?.(implementation.name)
  return implementation.type === 'builtin' ? own : (effect ?? own)
}

/** Agents that call each other are a failure of their own, as they always were. */
async function circleErrors(tx: TenantTransaction, defined: Calling): Promise<readonly FieldError[]> {
  const circle = await findCircle(tx, defined)
  if (circle === undefined) return []
  const path = callsOf(defined).find(({ name }) => name === circle[1])?.path ?? ''
  const shown = circle.join(' → ')
  const errors = [{ path, message: `closes the circle ${shown}` }]
  if (defined.kind === 'workflow') return errors
  throw new AppError(
    'agent.cycle',
    `The agents would call each other in a circle: ${shown}. Take one of these calls out.`,
    { errors },
  )
}
