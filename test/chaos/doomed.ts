// A process that runs one agent and kills itself at a named place: `write:<n>:<inside|after>`, `tool:<before|after>`, `model`.
// Usage: node doomed.ts <database url> <ledger file> <place or "never">

import { appendFileSync } from 'node:fs'
import { defineTool } from '../../src/define/define-tool.ts'
import { createScriptedModel } from '../../src/models/scripted/scripted-model.ts'
import type { Database } from '../../src/storage/database.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { aroundWrites } from '../support/around-writes.ts'
import { type Factory, openFactory } from '../support/factory.ts'

const [url = '', ledger = '', place = 'never'] = process.argv.slice(2)
const [where, number, phase] = place.split(':')

await using real = await openDatabase(url)
const killed = where === 'write' ? killing(real, Number(number), phase ?? '') : real
const pay = defineTool({
  name: 'pay',
  description: 'Pays, which must not happen twice.',
  input: { type: 'object', properties: { amount: { type: 'number' } } },
  effect: 'once',
  approval: 'never',
  run: async (_input, { idempotencyKey }) => {
    if (place === 'tool:before') die()
    note(`pay ${idempotencyKey}`)
    if (place === 'tool:after') die()
    return { paid: true }
  },
})
const look = defineTool({
  name: 'look',
  description: 'Looks something up, as often as one likes.',
  input: { type: 'object' },
  effect: 'read',
  run: async () => ({ seen: true }),
})
const model = createScriptedModel('scripted', (request) => {
  note('model')
  if (place === 'model') die()
  return request.messages.length === 1
    ? {
        toolCalls: [
          { tool: 'pay', arguments: { amount: 5 } },
          { tool: 'look', arguments: {} },
        ],
      }
    : { text: 'Finished.' }
})
await using factory = await openFactory({ db: killed, models: [model], codeTools: [pay, look] })
const state = await runOnce(factory)
console.log(JSON.stringify({ state }))

/** Starts the run where there is none yet, and waits until it has ended or waits for somebody. */
async function runOnce({ runtime, tenantId, admin, agent, catalog }: Factory): Promise<string> {
  const agents = await catalog.agents.list(admin, { limit: 10 })
  if (agents.items.length === 0) await agent({ name: 'payer', tools: ['pay', 'look'] })
  const known = (await runtime.list(tenantId, { limit: 1 })).items[0]
  const run =
    known ?? (await runtime.start(admin, { agent: 'payer', input: 'Pay.' }, { requestId: undefined }))
  return (await runtime.wait(tenantId, run.id, 20_000)).state
}

function killing(db: Database, at: number, when: string): Database {
  let writes = 0
  return aroundWrites(db, async (write, work) => {
    writes += 1
    if (writes !== at) return write(work)
    const result = await write(async (tx) => {
      const inner = await work(tx)
      if (when === 'inside') die()
      return inner
    })
    die()
    return result
  })
}

function note(line: string): void {
  appendFileSync(ledger, `${line}\n`)
}

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}
