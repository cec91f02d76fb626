// Budgets over HTTP: set, shown, changed, topped up, moved, archived, and what is on record of them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addBudget } from '../../test/support/budgets.ts'
import { forEachDatabase } from '../../test/support/database.ts'
import { type BudgetId, newId, type RunId } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import type { Dimensions } from '../contract/money.ts'
import { BUDGETS_PER_SCOPE_MAX } from '../money/budgets/manage/managed-budget.ts'
import { openBudgetWait } from '../runtime/budget-waits.ts'
import type { Reservation, Reserved } from '../runtime/budgets.ts'
import {
  AGENT,
  type ApiBench,
  at,
  errorPaths,
  isProblem,
  openApiBench,
  type Received,
} from './api-bench.test.ts'

const PATH = '/api/v1/financial/budgets'
const BUDGET = { name: 'Everything', scope: { type: 'tenant' }, limit_usd: '10.00', period: 'month' }
const NOVEMBER = Date.parse('2026-11-22T10:00:00.000Z')
const DECEMBER = Date.parse('2026-12-02T10:00:00.000Z')
const NOBODY: Dimensions = {
  runId: null,
  agentId: null,
  workflowId: null,
  userId: null,
  apiKeyId: null,
  projectId: null,
}

interface Stage extends AsyncDisposable {
  readonly bench: ApiBench
  now: number
  create(body?: object, key?: string): Promise<string>
  post(path: string, body: Json, headers?: Readonly<Record<string, string>>): Promise<Received>
  reserve(owner: string, usd: bigint): Promise<Reserved>
  settle(owner: string, usd: bigint): Promise<void>
}

const USD = 1_000_000_000n

async function openStage(db: Parameters<typeof openApiBench>[0]): Promise<Stage> {
  const stage: { now: number } = { now: NOVEMBER }
  const bench = await openApiBench({ ...db, working: false, clock: () => stage.now })
  const { reservations } = bench.deps.money
  const tenant = bench.db.tenant(bench.ada.tenantId)
  const rootRunId: RunId = newId('run')
  return Object.assign(stage, {
    bench,
    async create(body: object = {}, key: string = bench.ada.key) {
      const made = await bench.send('POST', PATH, { body: { ...BUDGET, ...body } as Json, key })
      assert.equal(made.status, 201, made.text)
      return String(at(made.json, 'id'))
    },
    post: (path: string, body: Json, headers: Readonly<Record<string, string>> = {}) =>
      bench.send('POST', `${PATH}/${path}`, { body, headers }),
    reserve(owner: string, usd: bigint) {
      const asked: Reservation = {
        owner,
        of: NOBODY,
        rootRunId,
        worstNanos: usd * USD,
        estimateNanos: usd * USD,
        at: stage.now,
        expiresAt: stage.now + 60_000,
      }
      return tenant.write((tx) => reservations.reserve(tx, asked))
    },
    settle: (owner: string, usd: bigint) =>
      tenant.write((tx) => reservations.settle(tx, owner, usd * USD, stage.now)),
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  })
}

forEachDatabase((_, open) => {
  describe('budgets', () => {
    it('are set once for a key, on what is named, and show where they stand', async () => {
      await using stage = await openStage({ db: await open() })
      const { bench } = stage
      const agent = await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
      const body = {
        ...BUDGET,
        name: 'Guide',
        scope: { type: 'agent', id: 'guide' },
        time_zone: 'Europe/Berlin',
      }
      const create = () => bench.send('POST', PATH, { body, headers: { 'idempotency-key': 'one' } })
      const first = await create()
      assert.equal(first.status, 201, first.text)
      const again = await create()
      assert.deepEqual([again.status, at(again.json, 'id')], [201, at(first.json, 'id')])
      assert.deepEqual(at(first.json, 'scope'), {
        type: 'agent',
        id: at(agent.json, 'id'),
        name: 'guide',
      })
      isProblem(await bench.send('POST', PATH, { body }), 'budget.name-taken', 'the same name')
      const shown = await bench.send('GET', String(first.headers.get('location')))
      assert.deepEqual(at(shown.json, 'now'), {
        period: '2026-11',
        starts_at: '2026-10-31T23:00:00.000Z',
        ends_at: '2026-11-30T23:00:00.000Z',
        limit_usd: '10',
        extra_usd: '0',
        settled_usd: '0',
        held_usd: '0',
        left_usd: '10',
        percent: 0,
        crossed: [],
      })
      assert.deepEqual(
        [at(shown.json, 'mode'), at(shown.json, 'thresholds'), at(shown.json, 'on_failure')],
        ['hard', [50, 80, 100], 'closed'],
      )
    })

    it('count what is settled and held', async () => {
      await using stage = await openStage({ db: await open() })
      const id = await stage.create()
      assert.equal((await stage.reserve('a', 6n)).outcome, 'held')
      await stage.settle('a', 5n)
      assert.equal((await stage.reserve('b', 3n)).outcome, 'held')
      assert.equal((await stage.reserve('c', 3n)).outcome, 'refused')
      const { json } = await stage.bench.send('GET', `${PATH}/${id}`)
      const now = ['settled_usd', 'held_usd', 'left_usd', 'percent'].map((field) => at(json, 'now', field))
      assert.deepEqual(now, ['5', '3', '2', 80])
      assert.deepEqual(at(json, 'now', 'crossed'), [50])
      // What its list shows is the same.
      const list = await stage.bench.send('GET', PATH)
      assert.deepEqual(at(list.json, 'items', 0, 'now'), at(json, 'now'))
      const history = await stage.bench.send('GET', `${PATH}/${id}/history`)
      assert.deepEqual(types(history), ['budget.crossed', 'budget.created'])
      stage.now = DECEMBER
      const later = await stage.bench.send('GET', `${PATH}/${id}`)
      assert.deepEqual(
        [at(later.json, 'now', 'period'), at(later.json, 'now', 'left_usd')],
        ['2026-12', '10'],
      )
      const periods = await stage.bench.send('GET', `${PATH}/${id}/periods`)
      const [november] = at(periods.json, 'items') as Json[]
      assert.deepEqual(
        [
          at(november ?? null, 'period'),
          at(november ?? null, 'settled_usd'),
          at(november ?? null, 'held_usd'),
        ],
        ['2026-11', '5', '3'],
      )
    })

    it('are refused field by field where they are wrong', async () => {
      await using stage = await openStage({ db: await open() })
      const { bench } = stage
      const bo = await bench.account()
      const theirs = await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT, key: bo.key })
      const wrong: readonly (readonly [object, readonly string[]])[] = [
        [{ limit_usd: '-1' }, ['/limit_usd']],
        [{ limit_usd: '1.0000000001' }, ['/limit_usd']],
        [{ limit_usd: '1e3' }, ['/limit_usd']],
        [{ limit_usd: 5 }, ['/limit_usd']],
        [{ limit_usd: '1000000000' }, ['/limit_usd']],
        [{ time_zone: 'Mars/Base' }, ['/time_zone']],
        [{ time_zone: '+01:00' }, ['/time_zone']],
        [{ period: 'fortnight' }, ['/period']],
        [{ period: 'rolling' }, ['/window']],
        [{ period: 'rolling', window: '59m' }, ['/window']],
        [{ period: 'rolling', window: '367d' }, ['/window']],
        [{ window: '24h' }, ['/window']],
        [{ starts_at: '2026-12-01T00:00:00Z' }, ['/starts_at']],
        [{ period: 'once', ends_at: '2026-11-01T00:00:00Z' }, ['/ends_at']],
        [
          { period: 'once', starts_at: '2027-02-01T00:00:00Z', ends_at: '2027-01-01T00:00:00Z' },
          ['/ends_at'],
        ],
        [{ thresholds: [80, 50] }, ['/thresholds/1']],
        [{ thresholds: [50, 50] }, ['/thresholds/1']],
        [{ thresholds: [0] }, ['/thresholds/0']],
        [{ thresholds: [1_001] }, ['/thresholds/0']],
        [{ thresholds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] }, ['/thresholds']],
        [{ scope: { type: 'agent' } }, ['/scope/id']],
        [{ scope: { type: 'agent', id: 'nobody' } }, ['/scope/id']],
        [{ scope: { type: 'agent', id: at(theirs.json, 'id') } }, ['/scope/id']],
        [{ scope: { type: 'tenant', id: bo.tenantId } }, ['/scope/id']],
        ...['project', 'workflow', 'user', 'key', 'run'].map(
          (type) => [{ scope: { type, id: newId('run') } }, ['/scope/id']] as const,
        ),
        [
          { scope: { type: 'run', id: newId('run') }, time_zone: 'x/y', thresholds: [2, 1] },
          ['/scope/id', '/thresholds/1', '/time_zone'],
        ],
      ]
      for (const [body, paths] of wrong) {
        const received = await bench.send('POST', PATH, { body: { ...BUDGET, ...body } as Json })
        isProblem(received, 'request.invalid', JSON.stringify(body))
        assert.deepEqual(errorPaths(received), paths, JSON.stringify(body))
      }
      assert.deepEqual(at((await bench.send('GET', PATH)).json, 'items'), [])
    })

    it('are on a user, a key, a project and a run of the tenant too', async () => {
      await using stage = await openStage({ db: await open() })
      const { bench } = stage
      const me = await bench.send('GET', '/api/v1/me')
      await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
      const run = await bench.send('POST', '/api/v1/agents/guide/runs', { body: { input: 'x' } })
      const project = await bench.send('POST', '/api/v1/projects', { body: { name: 'Support desk' } })
      const scopes = {
        user: at(me.json, 'user_id'),
        key: at(me.json, 'api_key_id'),
        run: at(run.json, 'id'),
        project: at(project.json, 'id'),
      }
      for (const [type, id] of Object.entries(scopes)) await stage.create({ name: type, scope: { type, id } })
      const named = at((await bench.send('GET', PATH)).json, 'items') as Json[]
      assert.deepEqual(
        named.map((item) => [at(item, 'scope', 'id'), at(item, 'scope', 'name')]),
        [
          [scopes.project, 'Support desk'],
          [scopes.run, null],
          [scopes.key, at((await bench.send('GET', `/api/v1/api-keys/${scopes.key}`)).json, 'name')],
          [scopes.user, null],
        ],
      )
      const found = await bench.send('GET', `${PATH}?scope_type=project&scope_id=Support%20desk`)
      assert.equal(at(found.json, 'items', 0, 'scope', 'id') as string, scopes.project)
      assert.equal((at(found.json, 'items') as Json[]).length, 1)
    })

    it('have a limit for each thing', async () => {
      await using stage = await openStage({ db: await open() })
      for (let i = 0; i < BUDGETS_PER_SCOPE_MAX; i++) await stage.create({ name: `b${i}` })
      const more = await stage.bench.send('POST', PATH, { body: BUDGET as Json })
      isProblem(more, 'request.invalid', 'one too many')
      assert.match(String(at(more.json, 'detail')), /10 budgets on this tenant/)
    })

    it('are changed with before and after on record, and without where nothing changes', async () => {
      await using stage = await openStage({ db: await open() })
      const { bench } = stage
      const id = await stage.create()
      await stage.create({ name: 'Other' })
      const change = (body: Json) => bench.send('PATCH', `${PATH}/${id}`, { body })
      assert.equal((await stage.reserve('a', 4n)).outcome, 'held')
      const lower = await change({ limit_usd: '3', mode: 'ask' })
      assert.equal(lower.status, 200, lower.text)
      assert.deepEqual([at(lower.json, 'now', 'left_usd'), at(lower.json, 'now', 'percent')], ['0', 133])
      assert.equal((await stage.reserve('b', 1n)).outcome, 'wait')
      await change({ limit_usd: '3.00' })
      isProblem(await change({ name: 'Other' }), 'budget.name-taken', 'renamed')
      isProblem(await change({ period: 'day' }), 'request.invalid', 'another period')
      assert.deepEqual(errorPaths(await change({ thresholds: [9, 8] })), ['/thresholds/1'])
      const history = await bench.send('GET', `${PATH}/${id}/history?limit=1`)
      assert.deepEqual(types(history), ['budget.updated'])
      assert.deepEqual(at(history.json, 'items', 0, 'data'), {
        before: { mode: 'hard', limitUsd: '10' },
        after: { mode: 'ask', limitUsd: '3' },
      })
      const me = await bench.send('GET', '/api/v1/me')
      assert.equal(at(history.json, 'items', 0, 'actor'), at(me.json, 'api_key_id'))
      const rest = await bench.send('GET', `${PATH}/${id}/history?cursor=${at(history.json, 'next_cursor')}`)
      assert.deepEqual(types(rest), ['budget.created'])
    })

    it('of zero let nothing through', async () => {
      await using stage = await openStage({ db: await open() })
      const id = await stage.create({ limit_usd: '0' })
      assert.equal((await stage.reserve('a', 1n)).outcome, 'refused')
      const { json } = await stage.bench.send('GET', `${PATH}/${id}`)
      assert.deepEqual([at(json, 'now', 'left_usd'), at(json, 'now', 'percent')], ['0', null])
    })

    it('are topped up for one period, once for a key', async () => {
      await using stage = await openStage({ db: await open() })
      const id = await stage.create({ limit_usd: '1' })
      const body = { amount_usd: '2.50', reason: 'The fair.' }
      const one = await stage.post(`${id}/top-ups`, body, { 'idempotency-key': 'k' })
      const two = await stage.post(`${id}/top-ups`, body, { 'idempotency-key': 'k' })
      assert.deepEqual([one.status, two.headers.get('idempotency-replayed')], [200, 'true'], one.text)
      assert.deepEqual([at(two.json, 'now', 'limit_usd'), at(two.json, 'now', 'extra_usd')], ['3.5', '2.5'])
      assert.equal((await stage.reserve('a', 3n)).outcome, 'held')
      const history = await stage.bench.send('GET', `${PATH}/${id}/history`)
      assert.deepEqual(types(history), ['budget.topped-up', 'budget.created'])
      assert.deepEqual(at(history.json, 'items', 0, 'data'), {
        period: '2026-11',
        amountUsd: '2.5',
        before: { extraUsd: '0' },
        after: { extraUsd: '2.5' },
        reason: 'The fair.',
      })
      for (const amount_usd of ['0', '999999999'])
        assert.deepEqual(errorPaths(await stage.post(`${id}/top-ups`, { amount_usd })), ['/amount_usd'])
      stage.now = DECEMBER
      const later = await stage.bench.send('GET', `${PATH}/${id}`)
      assert.equal(at(later.json, 'now', 'left_usd'), '1')
    })

    it('for once count between their times', async () => {
      await using stage = await openStage({ db: await open() })
      const id = await stage.create({ period: 'once', starts_at: '2026-12-01T00:00:00.000Z' })
      const before = await stage.bench.send('GET', `${PATH}/${id}`)
      assert.equal(at(before.json, 'now'), null)
      isProblem(await stage.post(`${id}/top-ups`, { amount_usd: '1' }), 'request.invalid', 'too early')
      stage.now = DECEMBER
      const { json } = await stage.bench.send('GET', `${PATH}/${id}`)
      assert.deepEqual(
        [at(json, 'now', 'period'), at(json, 'now', 'starts_at'), at(json, 'now', 'ends_at')],
        ['once', '2026-12-01T00:00:00.000Z', null],
      )
    })

    it('whose time zone the server does not know hide nothing of the others', async () => {
      await using stage = await openStage({ db: await open() })
      const { bench } = stage
      const timeZone = 'Mars/Base'
      const id = await addBudget(bench.db, bench.ada.tenantId, { timeZone, limitNanos: 5n * USD })
      const other = await stage.create()
      const list = await bench.send('GET', PATH)
      assert.deepEqual(idsOf(list).toSorted(), [id, other].toSorted(), list.text)
      assert.equal(at((await bench.send('GET', `${PATH}/${id}`)).json, 'now'), null)
      isProblem(await stage.post(`${id}/top-ups`, { amount_usd: '1' }), 'request.invalid', 'topped up')
      assert.equal((await stage.reserve('a', 1n)).outcome, 'refused')
    })

    it('that roll show their window', async () => {
      await using stage = await openStage({ db: await open() })
      const id = await stage.create({ period: 'rolling', window: '36h' })
      await stage.post(`${id}/top-ups`, { amount_usd: '1' })
      const { json } = await stage.bench.send('GET', `${PATH}/${id}`)
      assert.equal(at(json, 'window'), '36h')
      assert.deepEqual(
        ['period', 'starts_at', 'ends_at', 'left_usd'].map((field) => at(json, 'now', field)),
        ['rolling', '2026-11-20T22:00:00.000Z', null, '11'],
      )
    })

    it('give a part of their limit to another, and never what is spent', async () => {
      await using stage = await openStage({ db: await open() })
      const { bench } = stage
      const [from, to] = [await stage.create(), await stage.create({ name: 'To', limit_usd: '1' })]
      const daily = await stage.create({ name: 'Daily', period: 'day' })
      const bo = await bench.account()
      const theirs = await stage.create({ name: 'Theirs' }, bo.key)
      const move = (to_budget_id: string, amount_usd: string, key = '') =>
        stage.post(
          `${from}/transfers`,
          { to_budget_id, amount_usd, reason: 'Quiet.' },
          key === '' ? {} : { 'idempotency-key': key },
        )
      await bench.send('PATCH', `${PATH}/${to}`, { body: { limit_usd: '10' } })
      assert.equal((await stage.reserve('a', 6n)).outcome, 'held')
      for (const target of [theirs, newId('budget'), 'x', daily, from])
        assert.deepEqual(errorPaths(await move(target, '1')), ['/to_budget_id'], target)
      const tooMuch = await move(to, '4.000000001')
      assert.deepEqual(errorPaths(tooMuch), ['/amount_usd'])
      assert.match(tooMuch.text, /4 USD is neither spent nor held/)
      const [one, two] = [await move(to, '4', 'k'), await move(to, '4', 'k')]
      assert.deepEqual([one.status, two.status], [200, 200], one.text)
      assert.deepEqual([at(one.json, 'limit_usd'), at(one.json, 'now', 'left_usd')], ['6', '0'])
      assert.equal(at((await bench.send('GET', `${PATH}/${to}`)).json, 'limit_usd'), '14')
      const told = async (id: string) =>
        at((await bench.send('GET', `${PATH}/${id}/history?limit=1`)).json, 'items', 0, 'data')
      const shared = { amountUsd: '4', reason: 'Quiet.' }
      assert.deepEqual(await told(from), {
        toBudgetId: to,
        ...shared,
        before: { limitUsd: '10' },
        after: { limitUsd: '6' },
      })
      assert.deepEqual(await told(to), {
        fromBudgetId: from,
        ...shared,
        before: { limitUsd: '10' },
        after: { limitUsd: '14' },
      })
    })

    it('are archived, hold nothing back any more, and keep their history', async () => {
      await using stage = await openStage({ db: await open() })
      const { bench } = stage
      const id = await stage.create({ limit_usd: '1' })
      for (let time = 0; time < 2; time++)
        assert.equal((await bench.send('DELETE', `${PATH}/${id}`)).status, 204)
      assert.equal((await stage.reserve('a', 5n)).outcome, 'free')
      const { json } = await bench.send('GET', `${PATH}/${id}`)
      assert.deepEqual([at(json, 'state'), at(json, 'now')], ['archived', null])
      isProblem(
        await bench.send('PATCH', `${PATH}/${id}`, { body: { limit_usd: '2' } }),
        'budget.archived',
        'changed',
      )
      isProblem(await stage.post(`${id}/top-ups`, { amount_usd: '2' }), 'budget.archived', 'topped up')
      const history = await bench.send('GET', `${PATH}/${id}/history`)
      assert.deepEqual(types(history), ['budget.archived', 'budget.created'])
      // Its name is free again.
      const next = await stage.create()
      assert.deepEqual(idsOf(await bench.send('GET', PATH)), [next])
      assert.deepEqual(idsOf(await bench.send('GET', `${PATH}?state=archived`)), [id])
    })

    it('tell who waits for them, and let them try again when there is room', async () => {
      await using stage = await openStage({ db: await open() })
      const { bench } = stage
      const id = await stage.create({ mode: 'ask', limit_usd: '1' })
      const runId = newId('run')
      await bench.db.tenant(bench.ada.tenantId).write((tx) =>
        openBudgetWait(tx, {
          runId,
          step: 2,
          budgetId: id as BudgetId,
          neededNanos: 2n * USD,
          againAt: null,
          createdAt: stage.now,
        }),
      )
      const { json } = await bench.send('GET', `${PATH}/${id}`)
      assert.deepEqual(at(json, 'waiting'), [
        { run_id: runId, step: 2, needed_usd: '2', since: '2026-11-22T10:00:00.000Z' },
      ])
      const due = () =>
        bench.db
          .tenant(bench.ada.tenantId)
          .read((reader) =>
            reader.query((db, tenantId) =>
              db.selectFrom('budgetWaits').select('againAt').where('tenantId', '=', tenantId),
            ),
          )
      assert.equal((await due())[0]?.againAt, null)
      await stage.post(`${id}/top-ups`, { amount_usd: '5' })
      assert.equal((await due())[0]?.againAt, stage.now)
    })

    it('are listed page by page', async () => {
      await using stage = await openStage({ db: await open() })
      const { bench } = stage
      const ids: string[] = []
      for (const name of ['a', 'b', 'c']) ids.unshift(await stage.create({ name }))
      const first = await bench.send('GET', `${PATH}?limit=2`)
      const rest = await bench.send('GET', `${PATH}?limit=2&cursor=${at(first.json, 'next_cursor')}`)
      assert.deepEqual([...idsOf(first), ...idsOf(rest)], ids)
      assert.equal(at(rest.json, 'next_cursor'), null)
    })
  })
})

function types(received: Received): unknown[] {
  return (at(received.json, 'items') as Json[]).map((item) => at(item, 'type'))
}

function idsOf(received: Received): unknown[] {
  return (at(received.json, 'items') as Json[]).map((item) => at(item, 'id'))
}
