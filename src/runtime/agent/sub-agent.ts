// A sub-agent's call: the agent's run below the caller's.

import type { JsonObject } from '../../base/json.ts'
import type { Version } from '../../catalog/catalog.ts'
import { effectiveLimits } from '../run-limits.ts'
import { callBelow, limitsLeft, type NewChild } from './child-run.ts'
import type { DrivenRun, OpenCall, RunContext } from './context.ts'
import type { Drive } from './drive-end.ts'
import type { Callable, Pins } from './plan.ts'
import type { CallEnd } from './tool-call.ts'

type AgentCallable = Extract<Callable, { type: 'agent' }>

export function callAgent(
  ctx: RunContext,
  call: OpenCall,
  { id, version }: AgentCallable,
  drive: Drive,
): Promise<CallEnd> {
  return callBelow(
    ctx,
    {
      ...call,
      make: async () => {
        const agent = await ctx.deps.planner.agent(ctx.tenantId, id, version)
        return agentBelow(ctx, agent, (call.input as JsonObject).input ?? '')
      },
    },
    drive,
  )
}

/** An agent's run below another: with what was pinned for it when the run at the top was accepted. */
export async function agentBelow(
  ctx: DrivenRun,
  agent: Version<'agent'>,
  input: NewChild['input'],
): Promise<NewChild> {
  const { below } = JSON.parse(ctx.run.pins) as Pins
  const own = below?.[agent.id]
  const pins = own === undefined ? await ctx.deps.planner.pin(ctx.tenantId, agent) : { ...own, below }
  return {
    kind: 'agent',
    version: agent,
    input,
    limits: JSON.stringify(effectiveLimits(agent.definition.limits, limitsLeft(ctx))),
    pins: JSON.stringify(pins),
  }
}
