// A peer of the workflow bench: OpenWorkflow with steps that do nothing, on a SQLite file.
// Plain JavaScript: the types of this package are there only once the bench has installed it.

import { join } from 'node:path'
import { OpenWorkflow } from 'openworkflow'
import { BackendSqlite } from 'openworkflow/sqlite'
import { answerQuestions } from '../support/answer.ts'

await answerQuestions(async ({ folder }) => {
  const backend = BackendSqlite.connect(join(folder, 'openworkflow.db'))
  const client = new OpenWorkflow({ backend })
  // Its client asks once a second whether a workflow has ended: the steps are timed inside.
  let stepsMs = 0
  const many = client.defineWorkflow({ name: 'many' }, async ({ input, step }) => {
    const startedAt = performance.now()
    for (let n = 0; n < input.steps; n++) await step.run({ name: `step-${n}` }, async () => null)
    stepsMs = performance.now() - startedAt
    return null
  })
  const worker = client.newWorker({ concurrency: 1 })
  await worker.start()
  return {
    ready: null,
    answer: async ({ steps }) => {
      const handle = await many.run({ steps })
      await handle.result()
      return { ms: stepsMs }
    },
    close: async () => {
      await worker.stop()
      await backend.stop()
    },
  }
})
