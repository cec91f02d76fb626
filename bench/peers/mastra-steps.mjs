// A peer of the workflow bench: a workflow of Mastra with steps that do nothing, in a LibSQL file.
// Plain JavaScript: the types of these packages are there only once the bench has installed them.

import { join } from 'node:path'
import { Mastra } from '@mastra/core'
import { createStep, createWorkflow } from '@mastra/core/workflows'
import { LibSQLStore } from '@mastra/libsql'
import { z } from 'zod'
import { answerQuestions } from '../support/answer.ts'

const nothing = z.object({})

await answerQuestions(async ({ folder }) => {
  const storage = new LibSQLStore({ id: 'bench', url: `file:${join(folder, 'mastra.db')}` })
  return {
    ready: null,
    answer: async ({ steps }) => {
      const mastra = new Mastra({ workflows: { many: many(steps) }, storage, logger: false })
      const run = await mastra.getWorkflow('many').createRun()
      const startedAt = performance.now()
      const { status } = await run.start({ inputData: {} })
      if (status !== 'success') throw new Error(`The workflow ended as ${status}.`)
      return { ms: performance.now() - startedAt }
    },
    close: () => storage.close?.(),
  }
})

function many(steps) {
  let workflow = createWorkflow({ id: 'many', inputSchema: nothing, outputSchema: nothing })
  for (let n = 0; n < steps; n++) {
    const step = createStep({
      id: `step-${n}`,
      inputSchema: nothing,
      outputSchema: nothing,
      execute: async () => ({}),
    })
    workflow = workflow.then(step)
  }
  return workflow.commit()
}
