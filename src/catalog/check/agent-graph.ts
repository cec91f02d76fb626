// The graph of published agents, walked along the agents that they may call.

import { AppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { lockUsed, selectVersion } from '../definitions/definition-statements.ts'
import { KINDS } from '../kind.ts'

/** How many agents one agent may reach. */
const AGENTS_REACHED_MAX = 1_000

/** The shortest way from an agent, if it could call these, back to itself: `['a', 'b', 'a']`. */
export async function findCircle(
  tx: TenantTransaction,
  start: string,
  subAgents: readonly string[],
): Promise<readonly string[] | undefined> {
  const reached = new Set<string>()
  let level = subAgents.map((name) => [start, name])
  while (level.length > 0) {
    const next: string[][] = []
    for (const trail of level) {
      const name = trail.at(-1) ?? ''
      if (name === start) return trail
      if (reached.has(name)) continue
      reached.add(name)
      if (reached.size > AGENTS_REACHED_MAX) throw tooMany(start)
      for (const below of await publishedSubAgents(tx, name)) next.push([...trail, below])
    }
    level = next
  }
  return undefined
}

/** None where there is no such published agent. The row is held, so that two changes cannot close a circle together. */
async function publishedSubAgents(tx: TenantTransaction, name: string): Promise<readonly string[]> {
  const head = await tx.first(lockUsed, { kind: 'agent', name })
  if (typeof head?.publishedVersion !== 'number') return []
  const version = await tx.first(selectVersion, { id: head.id, version: head.publishedVersion })
  if (version === undefined) return []
  return KINDS.agent.codec.read(JSON.parse(version.body) as Json).subAgents ?? []
}

function tooMany(start: string): AppError {
  const message = `reach more than ${AGENTS_REACHED_MAX} agents`
  return new AppError('definition.invalid', `The sub-agents of "${start}" ${message}: have it call fewer.`, {
    errors: [{ path: '/sub_agents', message }],
  })
}
