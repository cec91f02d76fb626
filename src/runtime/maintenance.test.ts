import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { createMaintenance } from './maintenance.ts'
import { silentObserver } from './observer.ts'

describe('maintenance', () => {
  it('does each task in its time, none over itself, and none held up by another that hangs or fails', async () => {
    mock.timers.enable({ apis: ['setInterval'] })
    try {
      const hanging = Promise.withResolvers<void>()
      const begun = { slow: 0, quick: 0, wrong: 0 }
      const troubles: unknown[] = []
      const maintenance = createMaintenance({
        clock: () => 42,
        observer: { ...silentObserver, trouble: (_, facts) => troubles.push(facts.task) },
        tasks: [
          {
            name: 'slow',
            everyMs: 10,
            run: () => {
              begun.slow += 1
              return hanging.promise
            },
          },
          {
            name: 'quick',
            everyMs: 20,
            run: async (at) => {
              begun.quick += 1
              assert.equal(at, 42)
            },
          },
          {
            name: 'wrong',
            everyMs: 20,
            run: async () => {
              begun.wrong += 1
              throw new Error('no')
            },
          },
        ],
      })
      maintenance.start()
      maintenance.start()
      for (let i = 0; i < 4; i++) {
        mock.timers.tick(10)
        await new Promise((resolve) => setImmediate(resolve))
      }
      assert.deepEqual(begun, { slow: 1, quick: 2, wrong: 2 })
      assert.deepEqual(troubles, ['wrong', 'wrong'])
      let stopped = false
      const stopping = maintenance.stop().then(() => {
        stopped = true
      })
      await new Promise((resolve) => setImmediate(resolve))
      assert.equal(stopped, false)
      hanging.resolve()
      await stopping
      mock.timers.tick(100)
      await new Promise((resolve) => setImmediate(resolve))
      assert.equal(begun.quick, 2)
    } finally {
      mock.timers.reset()
    }
  })
})
