// Properties of versions: whatever is done in whatever order, the history stays true to what was saved.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { forEachDatabase } from '../../../test/support/database.ts'
import { type AppError, isAppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import { agent, CONTEXT, shareDatabase } from '../catalog-bench.test.ts'
import { changesBetween } from '../diff.ts'
import { contentOf } from '../digest.ts'

const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('update' as const),
      text: fc.constantFrom('a', 'b', 'c'),
      publish: fc.boolean(),
    }),
    fc.record({
      do: fc.constant('publish' as const),
      version: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    }),
    fc.record({
      do: fc.constant('rollback' as const),
      version: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    }),
  ),
  { maxLength: 12 },
)

/** What the history should be, in the simplest words: contents, the published place, and what was ever published. */
interface Model {
  texts: string[]
  published: number | null
  ever: Set<number>
}

forEachDatabase((database, open) => {
  const openBench = shareDatabase(open)

  it('keeps every version as it was saved, and at most one published', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const { catalog, ada } = await openBench()
        const { agents } = catalog
        const model: Model = { texts: ['first'], published: null, ever: new Set() }
        const digests = [
          (await agents.create(ada, agent('guide', { instructions: 'first' }), { publish: false }, CONTEXT))
            .version.digest,
        ]
        for (const step of sequence) {
          const expected = predict(model, step)
          const done = await outcome(() => {
            if (step.do === 'update')
              return agents.update(
                ada,
                'guide',
                agent('guide', { instructions: step.text }),
                { publish: step.publish },
                CONTEXT,
              )
            return agents[step.do](ada, 'guide', step.version, CONTEXT)
          })
          assert.equal(done, expected)
          if (model.texts.length > digests.length)
            digests.push((await agents.version(ada, 'guide', model.texts.length)).digest)
        }
        const { items } = await agents.versions(ada, 'guide', { limit: 100 })
        const { head } = await agents.get(ada, 'guide')
        assert.deepEqual(
          items
            .toReversed()
            .map(({ definition, digest, status }) => [definition.instructions, digest, status]),
          model.texts.map((text, index) => [text, digests[index], statusOf(model, index + 1)]),
        )
        assert.deepEqual([head.latestVersion, head.publishedVersion], [model.texts.length, model.published])
      }),
      { numRuns: database === 'sqlite' ? 60 : 10 },
    )
  })
})

type Step = (typeof steps extends fc.Arbitrary<infer S> ? S : never)[number]

function predict(model: Model, step: Step): string {
  const latest = model.texts.length
  switch (step.do) {
    case 'update': {
      if (step.text !== model.texts.at(-1)) model.texts.push(step.text)
      return step.publish ? publish(model, model.texts.length) : 'done'
    }
    case 'publish':
      return publish(model, step.version ?? latest)
    case 'rollback': {
      const below = [...model.ever].filter((version) => version < (model.published ?? 0))
      const version = step.version ?? Math.max(...below)
      if (!(version >= 1 && version <= latest)) return 'version.not-found'
      return model.ever.has(version) ? publish(model, version) : 'version.conflict'
    }
    default:
      return step satisfies never
  }
}

function publish(model: Model, version: number): string {
  if (version > model.texts.length) return 'version.not-found'
  model.published = version
  model.ever.add(version)
  return 'done'
}

function statusOf(model: Model, version: number): string {
  if (version === model.published) return 'published'
  return model.ever.has(version) ? 'archived' : 'draft'
}

async function outcome(work: () => Promise<unknown>): Promise<string> {
  const error: unknown = await work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error === undefined) return 'done'
  if (!isAppError(error)) throw error
  return (error as AppError).code
}

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>
const wireObject = fc.dictionary(fc.string({ unit: 'grapheme' }), json, { maxKeys: 6, noNullPrototype: true })

describe('digests', () => {
  it('are the same for the same content, whatever the order of the keys', () => {
    fc.assert(
      fc.property(wireObject, (wire) => {
        const content = contentOf(wire)
        assert.deepEqual(contentOf(shuffled(wire)), content)
        assert.deepEqual(content && JSON.parse(content.body), JSON.parse(JSON.stringify(wire)))
      }),
    )
  })

  it('differ where the content differs', () => {
    fc.assert(
      fc.property(wireObject, wireObject, (one, other) => {
        const same = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
        assert.equal(contentOf(one)?.digest === contentOf(other)?.digest, same)
      }),
    )
  })

  it('exist only for what JSON can say', () => {
    assert.equal(contentOf({ text: '\ud800' }), undefined)
    assert.equal(contentOf({ number: Number.NaN }), undefined)
    assert.equal(contentOf({ number: 1n as unknown as number }), undefined)
  })
})

describe('the difference of two contents', () => {
  it('is empty exactly where they are the same', () => {
    fc.assert(
      fc.property(wireObject, wireObject, (one, other) => {
        const [before, after] = [JSON.stringify(one), JSON.stringify(other)]
        assert.deepEqual(changesBetween(before, before), [])
        const same = JSON.stringify(sorted(JSON.parse(before))) === JSON.stringify(sorted(JSON.parse(after)))
        assert.equal(changesBetween(before, after).length === 0, same)
      }),
    )
  })

  it('sees fields that are called like those that every object has', () => {
    const changes = changesBetween('{"a":{}}', '{"a":{"toString":1,"valueOf":2,"hasOwnProperty":3}}')
    assert.deepEqual(
      changes.map(({ path, type }) => [path, type]),
      [
        ['/a/toString', 'added'],
        ['/a/valueOf', 'added'],
        ['/a/hasOwnProperty', 'added'],
      ],
    )
  })

  it('escapes keys in pointers', () => {
    assert.deepEqual(changesBetween('{"a/b~c":1}', '{"a/b~c":2}'), [
      { path: '/a~1b~0c', type: 'changed', before: 1, after: 2 },
    ])
  })
})

function shuffled(value: Json): Json {
  return reordered(value, (keys) => keys.toReversed())
}

function sorted(value: Json): Json {
  return reordered(value, (keys) => keys.toSorted())
}

function reordered(value: Json, order: (keys: string[]) => string[]): Json {
  if (Array.isArray(value)) return value.map((item) => reordered(item, order))
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value
  const source = value as Readonly<Record<string, Json>>
  return Object.fromEntries(
    order(Object.keys(source)).map((key) => [key, reordered(source[key] ?? null, order)]),
  )
}
