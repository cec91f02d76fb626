// What a definition needs before it can run: everything that it names is there, and no agent calls itself in the end.

import type { FieldError } from '../../base/errors.ts'
import { AppError } from '../../base/errors.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { lockUsed } from '../definitions/definition-statements.ts'
import { findCircle } from './agent-graph.ts'
import type { Checks } from './checks.ts'
import type { Defined, Reference } from './references.ts'
import { referencesOf } from './references.ts'

/**
 * What is missing, at its place. What is there stays there until the transaction ends.
 * Throws `agent.cycle` where nothing is missing but agents would call each other in a circle.
 */
export async function publishErrors(
  tx: TenantTransaction,
  checks: Checks,
  defined: Defined,
): Promise<FieldError[]> {
  const errors = implementationErrors(checks, defined)
  for (const reference of referencesOf(defined)) {
    const itself =
      defined.kind === 'agent' && reference.kind === 'agent' && reference.name === defined.definition.name
    const error = itself ? undefined : await missing(tx, checks, reference)
    if (error !== undefined) errors.push(error)
  }
  if (errors.length === 0 && defined.kind === 'agent') await checkCircle(tx, defined)
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

async function missing(
  tx: TenantTransaction,
  checks: Checks,
  reference: Reference,
): Promise<FieldError | undefined> {
  const { kind, name, path } = reference
  const head = await tx.first(lockUsed, { kind, name })
  if (typeof head?.publishedVersion === 'number') return undefined
  if (kind === 'tool' && (checks.codeToolNames.has(name) || checks.builtinToolNames.has(name)))
    return undefined
  return head === undefined
    ? { path, message: `names "${name}", which is no ${kind} here` }
    : { path, message: `names "${name}", which is not published: publish that ${kind} first` }
}

async function checkCircle(
  tx: TenantTransaction,
  defined: Extract<Defined, { kind: 'agent' }>,
): Promise<void> {
  const { name, subAgents = [] } = defined.definition
  const circle = await findCircle(tx, name, subAgents)
  if (circle === undefined) return
  const path = `/sub_agents/${subAgents.indexOf(circle[1] ?? '')}`
  const shown = circle.join(' → ')
  throw new AppError(
    'agent.cycle',
    `The agents would call each other in a circle: ${shown}. Take one of these calls out.`,
    {
      errors: [{ path, message: `closes the circle ${shown}` }],
    },
  )
}
