// What tests of workflows share: a factory with a tool for each effect, and a workflow published and run in one call.

import assert from 'node:assert/strict'
import type { Json, JsonObject } from '../../src/base/json.ts'
import type { WorkflowDefinition, WorkflowNode } from '../../src/contract/workflow.ts'
import type { CodeTool } from '../../src/define/code-tool.ts'
import { defineTool } from '../../src/define/define-tool.ts'
import { createScriptedModel } from '../../src/models/scripted/scripted-model.ts'
import type { Run, Step } from '../../src/runtime/runtime.ts'
import { type Factory, type FactoryOptions, openFactory } from './factory.ts'

export const context = { requestId: undefined }

export interface Ledger {
  /** `tool:idempotency key` of each call, in order. */
  readonly calls: { readonly tool: string; readonly key: string; readonly input: Json }[]
}

/** `look` reads, `put` is idempotent, `pay` happens once, `sign` asks a person, `break` fails, `flaky` fails at first. */
export function tools(ledger: Ledger): CodeTool[] {
  let flaky = 0
  const tool = (
    name: string,
    effect: 'read' | 'idempotent' | 'once',
    approval: 'never' | 'always',
    act: (input: Json) => Json = (input) => ({ tool: name, input }),
  ): CodeTool =>
    defineTool({
      name,
      description: `It is ${name}.`,
      input: { type: 'object' },
      effect,
      approval,
      maxAttempts: 1,
      run: async (input, { idempotencyKey }) => {
        ledger.calls.push({ tool: name, key: idempotencyKey, input: input as Json })
        return act(input as Json)
      },
    })
  return [
    tool('look', 'read', 'never'),
    tool('put', 'idempotent', 'never'),
    tool('pay', 'once', 'never'),
    tool('sign', 'once', 'always'),
    tool('undo', 'idempotent', 'never'),
    tool('break', 'read', 'never', () => {
      throw new Error('It broke.')
    }),
    tool('flaky', 'idempotent', 'never', (input) => {
      flaky += 1
      if (flaky % 3 !== 0) throw new Error('Not yet.')
      return input
    }),
  ]
}

export interface Works extends Factory {
  readonly ledger: Ledger
  /** Publishes a workflow, runs it, and waits until it has ended or waits for somebody. */
  play(nodes: readonly WorkflowNode[], more?: Play): Promise<Run>
  publish(definition: WorkflowDefinition): Promise<void>
  begin(workflow: string, input?: JsonObject): Promise<Run>
  settled(run: Pick<Run, 'id'>): Promise<Run>
  allSteps(run: Pick<Run, 'id'>): Promise<readonly Step[]>
  /** `path state` of each step, in order. */
  trail(run: Pick<Run, 'id'>): Promise<readonly string[]>
  /** Approves each step that waits for a person. */
  approve(run: Pick<Run, 'id'>, only?: (step: Step) => boolean): Promise<void>
}

interface Play extends Partial<Omit<WorkflowDefinition, 'nodes'>> {
  readonly value?: JsonObject
}

export async function openWorks(options: FactoryOptions & { readonly ledger?: Ledger } = {}): Promise<Works> {
  const ledger = options.ledger ?? { calls: [] }
  const factory = await openFactory({
    models: [createScriptedModel('scripted', () => ({ text: 'Said.' }))],
    ...options,
    codeTools: [...tools(ledger), ...(options.codeTools ?? [])],
  })
  const { runtime, admin, tenantId, catalog } = factory
  let count = 0
  const works: Works = {
    ...factory,
    ledger,
    async play(nodes, { value = {}, ...more } = {}) {
      count += 1
      const name = `workflow-${count}`
      await works.publish({ name, nodes: [...nodes], ...more })
      return works.settled(await works.begin(name, value))
    },
    async publish(definition) {
      await catalog.workflows.create(admin, definition, { publish: true }, context)
    },
    begin: (workflow, input = {}) => runtime.start(admin, { workflow, input }, context),
    settled: ({ id }) => runtime.wait(tenantId, id, 20_000),
    async allSteps({ id }) {
      const steps: Step[] = []
      for (let after = 0; ; after = steps.at(-1)?.seq ?? 0) {
        const page = await runtime.steps(tenantId, id, { limit: 500, after })
        steps.push(...page)
        if (page.length < 500) return steps
      }
    },
    trail: async (run) => (await works.allSteps(run)).map(({ path, state }) => `${path} ${state}`),
    async approve(run, only = () => true) {
      for (const step of await works.allSteps(run)) {
        if (step.state !== 'waiting' || step.waitingReason !== 'approval' || !only(step)) continue
        await runtime.resolve(admin, run.id, step.seq, { outcome: 'approve' }, context)
      }
    },
    [Symbol.asyncDispose]: () => factory[Symbol.asyncDispose](),
  }
  return works
}

export const approval = (id: string): WorkflowNode => ({ id, type: 'approval', input: '{"what": "this"}' })

export const ended = ({ state }: Run): boolean => state !== 'waiting'

/** Waits until the run has ended or waits, and is as wanted. */
export async function until(works: Works, run: Pick<Run, 'id'>, wanted: (run: Run) => boolean): Promise<Run> {
  for (let round = 0; round < 4_000; round++) {
    const found = await works.settled(run)
    if (wanted(found)) return found
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.fail('it did not come')
}
