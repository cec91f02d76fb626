// The nodes of a workflow's run, as a list: where each stands, how it is, how long it took.

import type { Run, Step } from '../../contract/run.ts'
import type { Client } from '../../sdk/client.ts'
import { showBlock } from '../output/details.ts'
import { visible } from '../output/escape.ts'
import { stepMs } from '../output/run-text.ts'
import type { Session } from '../session.ts'

/** More are shown by `run steps`. */
const NODES_SHOWN_MAX = 200

export async function nodesOf(client: Client, found: Run): Promise<readonly Step[]> {
  if (found.kind !== 'workflow') return []
  return (await client.listSteps(found.id, { limit: NODES_SHOWN_MAX })).items
}

export function showNodes(session: Session, nodes: readonly Step[]): void {
  if (nodes.length === 0) return
  const widest = Math.max(...nodes.map(({ path, name }) => (path ?? name).length))
  const lines = nodes.map((step) => {
    const state = step.waitingReason === null ? step.state : `${step.state} (${step.waitingReason})`
    return `${(step.path ?? step.name).padEnd(widest)}  ${state.padEnd(10)}  ${stepMs(step)}`.trimEnd()
  })
  if (nodes.length === NODES_SHOWN_MAX) lines.push('… and more: "agent-factory run steps" lists them all.')
  showBlock(session.out, 'nodes', visible(lines.join('\n')))
}
