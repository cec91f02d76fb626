// A worker process that has nothing to do, as `worker start` has it: the product composed, and the worker watched.

import { compose } from '../../src/app/compose.ts'
import { readSettings } from '../../src/app/settings.ts'
import { watchWorker } from '../../src/app/worker-process.ts'
import { answerQuestions } from '../support/answer.ts'

export interface IdleInput {
  readonly folder: string
  readonly databaseUrl?: string
}

/** As `worker start` has it by default. */
const STALL_MS = 15_000

await answerQuestions<IdleInput, null, never, never>(async ({ folder, databaseUrl }) => {
  const settings = readSettings({
    DEPLOYMENT_TYPE: 'DOCKER_MONOLITH',
    AGENT_FACTORY_DATA_DIR: folder,
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
  })
  const app = await compose(settings)
  const stopped = new AbortController()
  const watching = watchWorker(app, { once: false, stallMs: STALL_MS }, stopped.signal)
  return {
    ready: null,
    answer: () => Promise.reject(new Error('It answers nothing.')),
    close: async () => {
      stopped.abort()
      await watching
      await app.close()
    },
  }
})
