// What the random chaos plays: agents with tools of every effect, agents below agents, approvals, models that fail.
// As a program it is a worker: node scene.ts <database url> <ledger file>; it says `ready`, and SIGTERM stops it gently.

import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ToolEffect } from '../../src/contract/tool.ts'
import type { CodeTool } from '../../src/define/code-tool.ts'
import { defineTool } from '../../src/define/define-tool.ts'
import type { ModelFailure, ModelRequest } from '../../src/models/model.ts'
import type { ScriptedTurn } from '../../src/models/scripted/script.ts'
import { createScriptedModel } from '../../src/models/scripted/scripted-model.ts'
import type { Database } from '../../src/storage/database.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { type Factory, openFactory } from '../support/factory.ts'

export const LEASE = { leaseMs: 600, heartbeatMs: 150 }
/** Who pays is asked nothing, who is careful always asks, `boss` has both below it, and so on down the list. */
export const AGENTS = ['payer', 'careful', 'boss', 'chief', 'shaky', 'doomed'] as const
const STEP_MS_MAX = 200

export async function openScene(db: Database, ledger: string, working: boolean): Promise<Factory> {
  const codeTools = [
    tool('pay', { effect: 'once', approval: 'never' }, ledger),
    tool('sign', { effect: 'once', approval: 'always' }, ledger),
    tool('put', { effect: 'idempotent' }, ledger),
    tool('look', { effect: 'read' }, ledger),
  ]
  const models = [createScriptedModel('scripted', say)]
  return openFactory({ db, models, codeTools, working, lease: LEASE })
}

export async function defineAgents({ agent }: Factory): Promise<void> {
  const limits = { maxIdenticalCalls: 100 }
  await agent({ name: 'payer', instructions: 'payer', tools: ['pay', 'put', 'look'], limits })
  await agent({ name: 'careful', instructions: 'careful', tools: ['sign', 'look'], limits })
  await agent({
    name: 'boss',
    instructions: 'boss',
    tools: ['look', 'pay'],
    subAgents: ['payer', 'careful'],
    limits,
  })
  await agent({ name: 'chief', instructions: 'chief', tools: ['put'], subAgents: ['boss', 'payer'], limits })
  await agent({ name: 'shaky', instructions: 'shaky', tools: ['pay', 'look'], limits })
  await agent({ name: 'doomed', instructions: 'doomed', tools: ['look'], limits })
}

function tool(
  name: string,
  more: { readonly effect: ToolEffect; readonly approval?: 'never' | 'always' },
  ledger: string,
): CodeTool {
  return defineTool({
    name,
    description: `It is ${name}.`,
    input: { type: 'object' },
    ...more,
    run: async (_input, { idempotencyKey }) => {
      await sleep(Math.random() * STEP_MS_MAX)
      if (more.effect === 'once') appendFileSync(ledger, `${idempotencyKey}\n`)
      await sleep(Math.random() * STEP_MS_MAX)
      return { done: true }
    },
  })
}

/** The calls of each agent, turn by turn; then it answers. */
const TURNS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  payer: [['pay', 'put', 'look'], ['pay']],
  careful: [['look'], ['sign', 'look'], ['sign']],
  boss: [
    ['payer', 'look', 'careful'],
    ['pay', 'payer'],
  ],
  chief: [['boss', 'put'], ['payer']],
  shaky: [['pay'], ['look', 'look'], ['pay']],
  doomed: [['look'], ['look']],
}

function say(request: ModelRequest): ScriptedTurn {
  const turn = (request.messages.length - 1) / 2
  const delayMs = Math.random() * STEP_MS_MAX
  const { instructions: name } = request
  if (name === 'doomed' && turn === 2) return failing('bad_request')
  if (name === 'shaky' && Math.random() < 0.3) return failing('overloaded')
  const calls = TURNS[name]?.[turn]
  if (calls === undefined) return { text: 'Done.', delayMs }
  return { toolCalls: calls.map((called) => ({ tool: called, arguments: { input: 'Please.' } })), delayMs }
}

function failing(kind: ModelFailure['kind']): ScriptedTurn {
  return { failure: { kind, message: `It is ${kind}.` } }
}

async function work(url: string, ledger: string): Promise<void> {
  const db = await openDatabase(url)
  const factory = await openScene(db, ledger, true)
  process.once('SIGTERM', () => {
    void factory[Symbol.asyncDispose]()
      .then(() => db[Symbol.asyncDispose]())
      .then(() => process.exit(0))
  })
  // The worker's own timers keep no process alive.
  setInterval(() => undefined, 1_000)
  console.log('ready')
}

if (import.meta.main) await work(process.argv[2] ?? '', process.argv[3] ?? '')
