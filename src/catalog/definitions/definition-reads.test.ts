import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { newId } from '../../base/ids.ts'
import type { Bench } from '../catalog-bench.test.ts'
import { agent, CONTEXT, DRAFT, errorsOf, shareDatabase } from '../catalog-bench.test.ts'

forEachDatabase((_, open) => {
  const openBench = shareDatabase(open)

  it('tells the difference of two versions in wire names', async () => {
    const { catalog, ada } = await openBench()
    const schema = { type: 'object', properties: { toString: { type: 'string' }, 'a/b~c': {} } }
    await catalog.agents.create(ada, agent('guide', { limits: { maxSteps: 3 } }), DRAFT, CONTEXT)
    await catalog.agents.update(
      ada,
      'guide',
      agent('guide', { limits: { maxSteps: 4 }, outputSchema: { type: 'object' } }),
      DRAFT,
      CONTEXT,
    )
    await catalog.agents.update(
      ada,
      'guide',
      agent('guide', { limits: { maxSteps: 4 }, outputSchema: schema }),
      DRAFT,
      CONTEXT,
    )
    assert.deepEqual(plain(await catalog.agents.diff(ada, 'guide', 1, 2)), [
      { path: '/limits/max_steps', type: 'changed', before: 3, after: 4 },
      { path: '/output_schema', type: 'added', after: { type: 'object' } },
    ])
    assert.deepEqual(plain(await catalog.agents.diff(ada, 'guide', 3, 2)), [
      { path: '/output_schema/properties', type: 'removed', before: schema.properties },
    ])
    assert.deepEqual(await catalog.agents.diff(ada, 'guide', 2, 2), [])
    await errorsOf(() => catalog.agents.diff(ada, 'guide', 1, 9), 'version.not-found')
  })

  it('pages without skipping or repeating while others write', async () => {
    const bench = await openBench()
    const { catalog, ada } = bench
    const made = await createMany(bench, 25)
    const seen: string[] = []
    let cursor: string | undefined
    for (let page = 0; page < 20; page++) {
      const { items, nextCursor } = await catalog.agents.list(ada, { limit: 4, cursor })
      seen.push(...items.map(({ head }) => head.id))
      await catalog.agents.create(ada, agent(`late-${page}`), DRAFT, CONTEXT)
      await catalog.agents.update(
        ada,
        'agent-3',
        agent('agent-3', { instructions: `${page}` }),
        DRAFT,
        CONTEXT,
      )
      cursor = nextCursor
      if (cursor === undefined) break
    }
    assert.deepEqual(seen, made.toReversed())
  })

  it('pages versions, and refuses cursors that no page gave', async () => {
    const { catalog, ada } = await openBench()
    await catalog.agents.create(ada, agent('guide'), DRAFT, CONTEXT)
    for (const text of ['2', '3'])
      await catalog.agents.update(ada, 'guide', agent('guide', { instructions: text }), DRAFT, CONTEXT)
    const first = await catalog.agents.versions(ada, 'guide', { limit: 2 })
    const second = await catalog.agents.versions(ada, 'guide', { limit: 2, cursor: first.nextCursor })
    assert.deepEqual(
      [...first.items, ...second.items].map(({ version }) => version),
      [3, 2, 1],
    )
    assert.equal(second.nextCursor, undefined)
    const forged = [
      '',
      'x',
      '%',
      Buffer.from("' or 1=1").toString('base64url'),
      'A'.repeat(10_000),
      Buffer.from(newId('tool')).toString('base64url'),
    ]
    for (const cursor of forged) {
      await errorsOf(() => catalog.agents.list(ada, { limit: 2, cursor }), 'cursor.invalid')
      await errorsOf(() => catalog.agents.versions(ada, 'guide', { limit: 2, cursor }), 'cursor.invalid')
    }
  })
})

async function createMany({ catalog, ada }: Bench, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let index = 0; index < count; index++) {
    ids.push((await catalog.agents.create(ada, agent(`agent-${index}`), DRAFT, CONTEXT)).head.id)
  }
  return ids
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
