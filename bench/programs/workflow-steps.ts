// One workflow run after another, of many nodes that do nothing: tools (their intention and their result are on disk) or
// transforms. Timed from the start of the run to its end.

import type { WorkflowNode } from '../../src/contract/workflow.ts'
import { createScriptedModel } from '../../src/models/scripted/scripted-model.ts'
import { answerQuestions } from '../support/answer.ts'
import { openPlatform } from '../support/platform.ts'

export interface WorkflowQuestion {
  readonly nodes: 'tool' | 'transform'
  readonly steps: number
}

export interface WorkflowAnswer {
  readonly ms: number
  /** From each call of the tool to the next, in ms; empty where no tool is called. */
  readonly stepMs: readonly number[]
}

const WAIT_MS = 120_000
const CONTEXT = { requestId: undefined }

await answerQuestions<{ readonly folder: string }, null, WorkflowQuestion, WorkflowAnswer>(
  async ({ folder }) => {
    let calledAt: number[] = []
    const tool = {
      definition: {
        name: 'nothing',
        description: 'Does nothing.',
        effect: 'read',
        inputSchema: { type: 'object' },
        implementation: { type: 'code', name: 'nothing' },
      },
      run: async () => {
        calledAt.push(performance.now())
        return null
      },
    } as const
    const model = createScriptedModel('scripted', () => ({ text: 'Never asked.' }))
    const { app, admin } = await openPlatform({ folder, model, tools: [tool] })
    const published = new Set<string>()
    const publish = async ({ nodes, steps }: WorkflowQuestion): Promise<string> => {
      const name = `${nodes}-${steps}`
      if (published.has(name)) return name
      const made = Array.from({ length: steps }, (_, n) => nodeOf(nodes, n))
      await app.catalog.workflows.create(admin, { name, nodes: made }, { publish: true }, CONTEXT)
      published.add(name)
      return name
    }
    return {
      ready: null,
      answer: async (question) => {
        const workflow = await publish(question)
        calledAt = []
        const startedAt = performance.now()
        const { id } = await app.runtime.start(admin, { workflow, input: {} }, CONTEXT)
        const { state } = await app.runtime.wait(admin.tenantId, id, WAIT_MS)
        const ms = performance.now() - startedAt
        if (state !== 'completed') throw new Error(`The workflow ended as ${state}.`)
        return { ms, stepMs: calledAt.slice(1).map((at, index) => at - (calledAt[index] ?? at)) }
      },
      close: () => app.close(),
    }
  },
)

function nodeOf(type: WorkflowQuestion['nodes'], n: number): WorkflowNode {
  return type === 'tool'
    ? { id: `n${n}`, type, tool: 'nothing', input: '{}' }
    : { id: `n${n}`, type, value: 'null' }
}
