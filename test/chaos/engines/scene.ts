// What the chaos of the engines plays: agents that pay and look, and a workflow with branches, tools, agents, a wait and
// an approval. Each effect that must not be repeated is noted in a ledger file.

import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostProject } from '../../../src/app/host/host-project.ts'
import type { ToolEffect } from '../../../src/contract/tool.ts'
import type { CodeTool } from '../../../src/define/code-tool.ts'
import { defineAgent } from '../../../src/define/define-agent.ts'
import { defineTool } from '../../../src/define/define-tool.ts'
import { defineWorkflow } from '../../../src/define/define-workflow.ts'
import type { ModelProvider, ModelRequest } from '../../../src/models/model.ts'
import type { ScriptedTurn } from '../../../src/models/scripted/script.ts'
import { createScriptedModel } from '../../../src/models/scripted/scripted-model.ts'

/** What a run is started of, in turn. */
export const PLAYED = [
  { kind: 'agent', name: 'payer' },
  { kind: 'workflow', name: 'order' },
  { kind: 'agent', name: 'boss' },
  { kind: 'workflow', name: 'fan' },
] as const
const EFFECT_MS_MAX = 15
const MODEL_MS_MAX = 15

export function chaosProject(ledger: string): HostProject {
  const pay = tool('pay', 'once', ledger)
  const refund = tool('refund', 'idempotent', ledger)
  const look = tool('look', 'read', ledger)
  const payer = agent('payer', [pay, look])
  const boss = agent('boss', [look], ['payer'])
  const order = defineWorkflow({
    name: 'order',
    nodes: [
      {
        id: 'both',
        type: 'parallel',
        branches: [
          { id: 'stock', nodes: [{ id: 'seen', type: 'tool', tool: look, input: '{"input": "stock"}' }] },
          { id: 'money', nodes: [{ id: 'asked', type: 'agent', agent: payer, input: '"Pay."' }] },
        ],
      },
      { id: 'pause', type: 'wait', for: '50ms' },
      { id: 'allowed', type: 'approval', input: '{"amount": 5}', onError: 'continue' },
      {
        id: 'paid',
        type: 'tool',
        tool: pay,
        input: '{"input": "order"}',
        compensate: { type: 'tool', tool: 'refund', input: '{"input": "order"}' },
      },
    ],
  })
  const fan = defineWorkflow({
    name: 'fan',
    nodes: [
      {
        id: 'each',
        type: 'for_each',
        items: '[1, 2, 3, 4]',
        concurrency: 2,
        nodes: [{ id: 'item_paid', type: 'tool', tool: pay, input: '{"input": string(item)}' }],
      },
      { id: 'sum', type: 'transform', value: 'size(nodes.each)' },
    ],
  })
  return {
    agents: [payer, boss],
    codeTools: [pay, refund, look],
    plainTools: [],
    guardrails: [],
    workflows: [order, fan],
    problems: [],
  }
}

export function chaosModel(): ModelProvider {
  return createScriptedModel('scripted', say)
}

function agent(name: string, tools: readonly CodeTool[], subAgents: readonly string[] = []) {
  return defineAgent({
    name,
    instructions: name,
    model: 'scripted/any',
    tools,
    subAgents: [...subAgents],
    limits: { maxIdenticalCalls: 100 },
  })
}

function tool(name: string, effect: ToolEffect, ledger: string): CodeTool {
  return defineTool({
    name,
    description: `It is ${name}.`,
    input: { type: 'object' },
    effect,
    approval: 'never',
    run: async (_input, { idempotencyKey }) => {
      await sleep(Math.random() * EFFECT_MS_MAX)
      if (effect === 'once') appendFileSync(ledger, `${idempotencyKey}\n`)
      await sleep(Math.random() * EFFECT_MS_MAX)
      return { done: true }
    },
  })
}

const TURNS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  payer: [['pay', 'look'], ['pay']],
  boss: [['look', 'payer']],
}

function say(request: ModelRequest): ScriptedTurn {
  const turn = (request.messages.length - 1) / 2
  const delayMs = Math.random() * MODEL_MS_MAX
  const calls = TURNS[request.instructions]?.[turn]
  if (calls === undefined) return { text: 'Done.', delayMs }
  return { toolCalls: calls.map((called) => ({ tool: called, arguments: { input: 'Please.' } })), delayMs }
}
