import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { faultyTransport, forEachEngine } from '../../test/support/engines.ts'
import { QUEUE_CASES } from './queue-contract.ts'

forEachEngine(({ name, open }) => {
  describe(`the queue on ${name}`, () => {
    for (const played of QUEUE_CASES) {
      if (!('run' in played)) continue
      it(played.name, { timeout: 60_000 }, async () => {
        await using engine = await open()
        const { db, transport, flush } = engine
        await played.run({
          db,
          transport,
          flush,
          faulty(faults) {
            assert.ok(transport)
            return faultyTransport(transport, faults)
          },
        })
      })
    }
  })
})
