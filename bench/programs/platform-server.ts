// The product's server: everything a request passes, over a socket.

import { serve } from '../../src/app/serve.ts'
import { AGENT, adderModel, adderTool, INSTRUCTIONS } from '../support/adder.ts'
import { answerQuestions } from '../support/answer.ts'
import { openPlatform } from '../support/platform.ts'

export interface PlatformServerReady {
  readonly url: string
  readonly key: string
  readonly agentId: string
}

await answerQuestions<{ readonly folder: string }, PlatformServerReady, never, never>(async ({ folder }) => {
  const quiet = (): void => undefined
  const model = adderModel(quiet)
  const { app, key, publish } = await openPlatform({ folder, model, tools: [adderTool(quiet)] })
  const agentId = await publish({ name: AGENT, instructions: INSTRUCTIONS })
  const server = await serve(app, app.settings.server)
  return {
    ready: { url: server.url, key, agentId },
    answer: () => Promise.reject(new Error('The server answers over HTTP.')),
    close: async () => {
      await server.stop()
      await app.close()
    },
  }
})
