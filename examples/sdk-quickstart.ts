// Asks the starter agent two questions with the SDK: once waiting for the answer, once watching it work.
// First `npm start` in one terminal, then in another:  node scripts/run.cjs examples/sdk-quickstart.ts

import { readFileSync } from 'node:fs'
import { Client } from 'agent-factory/sdk'

await using client = new Client(connection())

const run = await client.runAgent('guide', 'Where is order 1002?')
console.log(`${run.state}: ${String(run.output)}`)
console.log(`${run.stepCount} steps, $${run.costUsd}\n`)

const watched = await client.runAgent('guide', 'What is a step in doubt?', { wait: false })
for await (const item of client.streamRun(watched.id)) {
  if (item.type === 'event') console.log(`${item.event.runSeq} ${item.event.type}`)
}
console.log(`\n${String((await client.getRun(watched.id)).output)}`)

/** From the environment, or from the file that `npm start` writes. */
function connection(): { baseUrl: string; apiKey: string } {
  const { AGENT_FACTORY_URL, AGENT_FACTORY_API_KEY, AGENT_FACTORY_DATA_DIR } = process.env
  if (AGENT_FACTORY_URL && AGENT_FACTORY_API_KEY)
    return { baseUrl: AGENT_FACTORY_URL, apiKey: AGENT_FACTORY_API_KEY }
  const file = `${AGENT_FACTORY_DATA_DIR ?? '.agent-factory'}/credentials.json`
  const { api_url, api_key } = JSON.parse(readFileSync(file, 'utf8'))
  return { baseUrl: api_url, apiKey: api_key }
}
