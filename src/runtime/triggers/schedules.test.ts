import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { afterChanges } from '../../../test/support/around-writes.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { isAppError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import { readSchedule } from './cron.ts'
import { dueTick, MISSED_TICKS_MAX } from './due-ticks.ts'
import { tickSchedules } from './schedules.ts'
import { TRIGGERS_PER_TENANT_MAX } from './trigger.ts'
import { context, demote, MINUTE, openTriggerBench, START } from './trigger-bench.test.ts'
import { insertTrigger } from './trigger-store.ts'

const HOUR = 60 * MINUTE
const minutely = { kind: 'schedule', cron: '* * * * *', input: 'trigger.scheduled_at' } as const

describe('a schedule that was late', () => {
  const read = readSchedule('0 * * * *', 'UTC')
  assert.ok(read.ok)
  const { schedule } = read
  const at = Date.parse('2026-11-22T10:30:00.000Z')
  const ten = at - HOUR / 2

  it('skips what it missed, but not a tick that has just been', () => {
    assert.deepEqual(dueTick(schedule, ten - 2 * HOUR, 'skip', at), { fire: undefined, nextAt: ten + HOUR })
    const now = ten + MINUTE
    assert.deepEqual(dueTick(schedule, ten - 2 * HOUR, 'skip', now), { fire: ten, nextAt: ten + HOUR })
  })

  it('makes up for the last one, or for each in turn', () => {
    assert.deepEqual(dueTick(schedule, ten - 2 * HOUR, 'last', at), { fire: ten, nextAt: ten + HOUR })
    const first = dueTick(schedule, ten - 2 * HOUR, 'all', at)
    assert.deepEqual(first, { fire: ten - 2 * HOUR, nextAt: ten - HOUR })
    assert.deepEqual(dueTick(schedule, ten, 'all', at), { fire: ten, nextAt: ten + HOUR })
  })

  it('makes up for so many and no more: the latest', () => {
    const { fire } = dueTick(schedule, ten - 1_000 * HOUR, 'all', at)
    assert.equal(fire, ten - (MISSED_TICKS_MAX - 1) * HOUR)
  })

  it('goes on where its next tick is none any more', () => {
    assert.deepEqual(dueTick(schedule, ten + 1, 'all', at), { fire: undefined, nextAt: ten + HOUR })
  })
})

forEachDatabase((_, open) => {
  describe('schedules', () => {
    it('fire a tick once, however many processes look at the same moment', async () => {
      await using db = await open()
      await using bench = await openTriggerBench(db)
      const { row } = await bench.create({ ...minutely, missed: 'all' })
      assert.equal(row.nextAt, START + MINUTE / 2)
      const processes = [bench.deps, await bench.process(), await bench.process()]
      await tickSchedules(bench.deps, bench.clock.now)
      assert.equal((await bench.runs()).length, 0)
      for (let minute = 1; minute <= 3; minute++) {
        bench.clock.now = START + minute * MINUTE
        await Promise.all(processes.map((deps) => tickSchedules(deps, bench.clock.now)))
      }
      const runs = await bench.runs()
      assert.deepEqual(
        runs.map(({ input }) => input),
        ['2026-11-22T10:01:00.000Z', '2026-11-22T10:02:00.000Z', '2026-11-22T10:03:00.000Z'],
      )
      const { tenantId, admin } = bench.factory
      assert.ok(runs.every((run) => run.triggerId === row.id && run.createdBy === admin.userId))
      const shown = await bench.triggers.get(tenantId, row.id)
      assert.equal(shown.row.lastRunId, runs.at(-1)?.id)
      assert.equal(shown.nextTicks.length, 5)
      assert.equal((await bench.audit('trigger.fired')).length, 3)
      assert.deepEqual(bench.troubles, [])
    })

    it('neither repeat nor lose a tick when clocks jump by five minutes', async () => {
      await using db = await open()
      await using bench = await openTriggerBench(db)
      await bench.create(minutely)
      for (const minutes of [1, 6, 2, -3, 7, 3, 4, 8, 9]) {
        bench.clock.now = START + minutes * MINUTE
        await tickSchedules(bench.deps, bench.clock.now)
      }
      const inputs = (await bench.runs()).map(({ input }) => String(input))
      const expected = Array.from({ length: 9 }, (_, i) => `2026-11-22T10:0${i + 1}:00.000Z`)
      assert.deepEqual(inputs.toSorted(), expected)
    })

    it('leave neither half of a tick when their process dies at any of its writes', async () => {
      await using db = await open()
      await using bench = await openTriggerBench(db)
      await bench.create(minutely)
      bench.clock.now = START + MINUTE
      for (let survived = 0; ; survived++) {
        let changes = 0
        const dying = afterChanges(db, async () => {
          changes += 1
          if (changes > survived) throw new Error('killed')
        })
        await tickSchedules(await bench.process({ db: dying }), bench.clock.now)
        const runs = (await bench.runs()).length
        const fired = (await bench.audit('trigger.fired')).length
        const [row] = (await bench.triggers.list(bench.factory.tenantId, { limit: 1 })).items
        const moved = (row?.row.nextAt ?? 0) > bench.clock.now
        assert.deepEqual([runs, fired, moved], changes <= survived ? [1, 1, true] : [0, 0, false])
        if (changes <= survived) {
          assert.ok(survived >= 5, `${survived} changes`)
          break
        }
      }
    })

    it('start nothing for an owner who may not any more, say so, and go on', async () => {
      await using db = await open()
      await using bench = await openTriggerBench(db)
      const { admin, tenantId } = bench.factory
      const gone = { ...admin, userId: newId('user') }
      const input = { ...minutely, name: 'theirs', target: { agent: 'guide' } }
      const { row } = (await bench.triggers.create(gone, input, context)).trigger
      bench.clock.now += MINUTE
      await tickSchedules(bench.deps, bench.clock.now)
      assert.equal((await bench.runs()).length, 0)
      const { row: after } = await bench.triggers.get(tenantId, row.id)
      assert.match(after.lastError ?? '', /no active member/)
      assert.ok((after.nextAt ?? 0) > bench.clock.now)
      assert.equal((await bench.audit('trigger.failed')).length, 1)
    })

    it('give their runs what the owner may do now, and no more than the key that wrote them', async () => {
      await using db = await open()
      await using bench = await openTriggerBench(db)
      const { admin } = bench.factory
      const narrow = {
        ...admin,
        permissions: new Set(['WRITE_TRIGGERS', 'RUN_AGENTS', 'READ_AUDIT'] as const),
      }
      const input = { ...minutely, name: 'narrow', target: { agent: 'guide' } }
      await bench.triggers.create(narrow, input, context)
      await demote(db, admin, 'USER')
      bench.clock.now += MINUTE
      await tickSchedules(bench.deps, bench.clock.now)
      const rows = await db
        .tenant(admin.tenantId)
        .read((reader) =>
          reader.query((builder, tenant) =>
            builder.selectFrom('runs').select('permissions').where('tenantId', '=', tenant),
          ),
        )
      assert.deepEqual(rows, [{ permissions: '["RUN_AGENTS"]' }])
    })

    it('say that their target is not published, and go on with the next tick', async () => {
      await using db = await open()
      await using bench = await openTriggerBench(db)
      const { row } = await bench.create({ ...minutely, target: { agent: 'later' } })
      bench.clock.now += MINUTE
      await tickSchedules(bench.deps, bench.clock.now)
      const { tenantId } = bench.factory
      assert.match((await bench.triggers.get(tenantId, row.id)).row.lastError ?? '', /agent\.not-found/)
      await bench.factory.agent({ name: 'later' })
      bench.clock.now += MINUTE
      await tickSchedules(bench.deps, bench.clock.now)
      assert.equal((await bench.runs()).length, 1)
      assert.equal((await bench.triggers.get(tenantId, row.id)).row.lastError, null)
    })

    it('start workflows as well', async () => {
      await using db = await open()
      await using bench = await openTriggerBench(db)
      const nodes = [{ id: 'a', type: 'transform', value: 'input.at' }] as const
      const { admin, catalog } = bench.factory
      await catalog.workflows.create(admin, { name: 'flow', nodes: [...nodes] }, { publish: true }, context)
      const input = '{"at": trigger.scheduled_at}'
      await bench.create({ ...minutely, target: { workflow: 'flow' }, input })
      bench.clock.now += MINUTE
      await tickSchedules(bench.deps, bench.clock.now)
      const found = (await bench.runs()).map((run) => [run.kind, run.definitionName, run.input])
      assert.deepEqual(found, [['workflow', 'flow', { at: '2026-11-22T10:01:00.000Z' }]])
    })

    it('rest while they are paused, and go on with the next tick', async () => {
      await using db = await open()
      await using bench = await openTriggerBench(db)
      const { admin, tenantId } = bench.factory
      const { row } = await bench.create({ ...minutely, missed: 'all' })
      await bench.triggers.update(admin, row.id, { state: 'paused' }, context)
      assert.deepEqual((await bench.triggers.get(tenantId, row.id)).nextTicks, [])
      bench.clock.now += 5 * MINUTE
      await tickSchedules(bench.deps, bench.clock.now)
      await bench.triggers.update(admin, row.id, { state: 'active' }, context)
      await tickSchedules(bench.deps, bench.clock.now)
      assert.equal((await bench.runs()).length, 0)
      bench.clock.now += MINUTE
      await tickSchedules(bench.deps, bench.clock.now)
      assert.equal((await bench.runs()).length, 1)
      await bench.triggers.delete(admin, row.id, context)
      await assert.rejects(bench.triggers.get(tenantId, row.id), (error) =>
        isAppError(error, 'trigger.not-found'),
      )
      assert.equal((await bench.runs()).length, 1)
    })

    it('are limited for each tenant', async () => {
      await using db = await open()
      await using bench = await openTriggerBench(db)
      const { row } = await bench.create(minutely)
      const { tenantId, admin } = bench.factory
      await db.tenant(tenantId).write(async (tx) => {
        for (let i = 1; i < TRIGGERS_PER_TENANT_MAX; i++)
          await tx.run(insertTrigger, { ...row, id: newId('trigger'), name: `more-${i}` })
      })
      const one = { ...minutely, name: 'one-more', target: { agent: 'guide' } }
      const create = () => bench.triggers.create(admin, one, context)
      await assert.rejects(create, (error) => isAppError(error, 'request.invalid'))
      await bench.triggers.delete(admin, row.id, context)
      await create()
    })

    it('are refused with every wrong field named', async () => {
      await using db = await open()
      await using bench = await openTriggerBench(db)
      const wrong = { ...minutely, cron: '61 * * * *', input: 'nothing.here' }
      await assert.rejects(bench.create(wrong), (error) => {
        assert.ok(isAppError(error, 'definition.invalid'))
        assert.deepEqual(error.errors.map(({ path }) => path).toSorted(), ['/cron', '/input'])
        return true
      })
      await bench.create(minutely)
      await assert.rejects(bench.create(minutely), (error) => isAppError(error, 'trigger.name-taken'))
      const { admin } = bench.factory
      const other = { ...admin, permissions: new Set(['WRITE_TRIGGERS'] as const) }
      const input = { ...minutely, name: 'b', target: { agent: 'guide' } }
      await assert.rejects(bench.triggers.create(other, input, context), (error) =>
        isAppError(error, 'access.denied'),
      )
    })
  })
})
