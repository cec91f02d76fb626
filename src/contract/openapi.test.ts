import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '../base/json.ts'
import { codecOf } from './codec.ts'
import { docsPage } from './docs-page.ts'
import { EXAMPLE_BODIES } from './openapi/examples.ts'
import { openApiDocument } from './openapi.ts'
import { fullPath } from './route.ts'
import { ROUTE_LIST } from './routes.ts'

const document = openApiDocument()
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

/** Every object inside, with its place. */
function* objects(
  value: unknown,
  place = '',
): Generator<readonly [string, Readonly<Record<string, unknown>>]> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield [place, value as Readonly<Record<string, unknown>>]
  for (const [key, item] of Object.entries(value)) yield* objects(item, `${place}/${key}`)
}

describe('/openapi.json', () => {
  it('tells every route once, with its id, its permission, its security and its answers', () => {
    assert.equal(operations.length, ROUTE_LIST.length)
    const ids = operations.map(({ operation }) => operation.operationId)
    assert.equal(new Set(ids).size, ids.length)
    for (const route of ROUTE_LIST) {
      const operation = document.paths[fullPath(route)]?.[route.method.toLowerCase()]
      assert.equal(operation?.operationId, route.id)
      assert.equal(operation?.security.length, route.permission === 'public' ? 0 : 1, route.id)
      assert.equal(operation?.['x-permission'], route.permission)
      const statuses = Object.keys(operation?.responses ?? {})
      assert.ok(statuses.some((status) => status.startsWith('2')))
      if (route.permission !== 'public') assert.ok(statuses.includes('401'), route.id)
      if (route.body)
        for (const status of ['400', '413', '415', '422']) assert.ok(statuses.includes(status), route.id)
    }
  })

  it('declares each part of each path, and no parameter twice', () => {
    for (const { path, operation } of operations) {
      const inPath = operation.parameters.filter((parameter) => parameter.in === 'path')
      assert.deepEqual(
        inPath.map(({ name }) => name),
        [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]),
      )
      const named = operation.parameters.map((parameter) => `${parameter.in} ${parameter.name}`)
      assert.equal(new Set(named).size, named.length)
    }
  })

  it('has references that lead somewhere, and names every schema that it has', () => {
    const used = new Set<string>()
    for (const [place, object] of objects(document)) {
      if (typeof object.$ref !== 'string') continue
      const name = /^#\/components\/schemas\/(\w+)$/.exec(object.$ref)?.[1] ?? ''
      assert.ok(name in document.components.schemas, `${place}: ${object.$ref}`)
      used.add(name)
    }
    assert.deepEqual([...used].toSorted(), Object.keys(document.components.schemas).toSorted())
  })

  it('names fields as the wire does, and keeps our marks to itself', () => {
    for (const [place, object] of objects(document)) {
      assert.ok(!('opaque' in object) && !('$schema' in object), place)
      const { properties } = object
      if (typeof properties !== 'object' || properties === null || /\/examples?\b/.test(place)) continue
      for (const name of Object.keys(properties)) assert.match(name, /^[a-z][a-z0-9_]*$/, place)
      const required = Array.isArray(object.required) ? object.required : []
      for (const name of required) assert.ok(name in properties, `${place}: ${name}`)
    }
  })

  it('has examples that its schemas accept', () => {
    for (const route of ROUTE_LIST.filter(({ body }) => body)) {
      const example: Json | undefined = EXAMPLE_BODIES[route.id]
      assert.notEqual(example, undefined, route.id)
      if (!route.body || example === undefined) continue
      const decoded = codecOf(route.body.schema).decode(example)
      assert.ok(decoded.ok, `${route.id}: ${JSON.stringify(decoded)}`)
    }
  })

  it('is plain JSON', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(document)), document)
  })
})

describe('/docs', () => {
  const html = docsPage(document)

  it('shows every operation and schema, with links that lead somewhere', () => {
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1])
    assert.equal(new Set(ids).size, ids.length)
    for (const { id } of ROUTE_LIST) assert.ok(ids.includes(id), id)
    for (const [, target] of html.matchAll(/ href="#([^"]+)"/g))
      assert.ok(ids.includes(target), String(target))
  })

  it('loads and runs nothing', () => {
    assert.ok(!/<script|<link|<img|<iframe|@import|url\(|\son\w+=/i.test(html))
    assert.ok(
      ![...html.matchAll(/(?:href|src)="([^"]+)"/g)].some((found) =>
        /^(?:https?:)?\/\//.test(found[1] ?? ''),
      ),
    )
  })

  it('shows hostile text as text', () => {
    const evil = { ...document, info: { ...document.info, title: '<script>"x"</script>' } }
    assert.ok(!docsPage(evil).includes('<script>'))
  })
})
