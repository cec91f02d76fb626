// What the catalog's tests share: a database with two tenants, a clock that is held, and the real checks.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { FieldError } from '../base/errors.ts'
import { isAppError } from '../base/errors.ts'
import { newId } from '../base/ids.ts'
import { checkSchema } from '../base/json-schema.ts'
import type { AgentDefinition } from '../contract/agent.ts'
import type { Principal } from '../contract/principal.ts'
import type { ToolDefinition } from '../contract/tool.ts'
import type { WorkflowDefinition } from '../contract/workflow.ts'
import { expressionErrors, expressionFields } from '../sandbox/expression-check.ts'
import { patternProblem } from '../sandbox/pattern.ts'
import type { Database } from '../storage/database.ts'
import { type Bind, type SystemBind, statement, systemStatement } from '../storage/statement.ts'
import type { Catalog, WriteContext } from './catalog.ts'
import type { Checks } from './check/checks.ts'
import { createCatalog } from './create-catalog.ts'

export interface Bench {
  readonly db: Database
  readonly catalog: Catalog
  /** A second process on the same database. */
  readonly other: Catalog
  readonly ada: Principal
  /** Of another tenant. */
  readonly bob: Principal
  readonly clock: { nowMs: number }
}

export const CONTEXT: WriteContext = { requestId: 'req_1' }
export const DRAFT = { publish: false }
export const PUBLISH = { publish: true }

export const CHECKS: Checks = {
  builtinToolNames: new Set(['http-get', 'calculator']),
  codeToolNames: new Set(['lookup']),
  checkSchema,
  checkExpression: expressionErrors,
  expressionFields,
  effectOf: (name) => (name === 'lookup' ? 'once' : undefined),
  checkPattern: (source) => {
    const message = patternProblem(source)
    return message === undefined ? [] : [{ path: '', message }]
  },
  modelKnown: (model) => (model.startsWith('offline/') ? [] : [{ path: '', message: 'is not configured' }]),
}

/** One database for a suite, and a bench with tenants of its own for each test. */
export function shareDatabase(open: () => Promise<Database>): () => Promise<Bench> {
  let db: Database | undefined
  before(async () => {
    db = await open()
  })
  after(() => db?.[Symbol.asyncDispose]())
  return async () => createBench(db ?? assert.fail('The database is not open.'))
}

async function createBench(db: Database): Promise<Bench> {
  const clock = { nowMs: 1_700_000_000_000 }
  const deps = { ...CHECKS, db, clock: () => clock.nowMs }
  return {
    db,
    catalog: createCatalog(deps),
    other: createCatalog(deps),
    ada: await newTenant(db),
    bob: await newTenant(db),
    clock,
  }
}

export function agent(name: string, more: Partial<AgentDefinition> = {}): AgentDefinition {
  return { name, instructions: 'Answer.', model: 'offline/extractive', ...more }
}

export function tool(name: string, more: Partial<ToolDefinition> = {}): ToolDefinition {
  return { name, description: 'Does it.', implementation: { type: 'code', name: 'lookup' }, ...more }
}

export function workflow(name: string, more: Partial<WorkflowDefinition> = {}): WorkflowDefinition {
  return { name, nodes: [{ id: 'first', type: 'transform', value: 'input' }], ...more }
}

/** What was written to the log of a tenant, oldest first. */
export async function auditOf(db: Database, { tenantId }: Principal) {
  const rows = await db.tenant(tenantId).read((reader) => reader.all(selectAudit, {}))
  return rows.map(({ data, ...row }) => ({ ...row, data: JSON.parse(data) as Record<string, unknown> }))
}

export async function errorsOf(
  work: () => Promise<unknown>,
  code = 'definition.invalid',
): Promise<readonly FieldError[]> {
  try {
    await work()
  } catch (error) {
    if (!isAppError(error)) throw error
    assert.equal(error.code, code)
    return error.errors
  }
  return assert.fail(`Nothing was refused; expected ${code}.`)
}

async function newTenant(db: Database): Promise<Principal> {
  const tenantId = newId('tenant')
  await db.system.write((tx) => tx.run(insertTenant, { tenantId, at: 0 }))
  return {
    tenantId,
    userId: newId('user'),
    kind: 'human',
    apiKeyId: undefined,
    permissions: new Set(),
    role: 'ADMIN',
    operator: false,
  }
}

const insertTenant = systemStatement(
  'test.catalog.insert-tenant',
  'a test makes tenants',
  (db, p: SystemBind<{ tenantId: Principal['tenantId']; at: number }>) =>
    db.insertInto('tenants').values({
      id: p.tenantId,
      name: 'Test',
      status: 'active',
      capturePolicy: 'full',
      createdAt: p.at,
      updatedAt: p.at,
    }),
)

const selectAudit = statement('test.catalog.audit', (db, p: Bind<object>) =>
  db
    .selectFrom('events')
    .select(['type', 'actor', 'subject', 'audit', 'data', 'requestId'])
    .where('tenantId', '=', p.tenantId)
    .orderBy('seq'),
)

describe('the bench of the catalog', () => {
  it('checks as the product does', () => {
    assert.deepEqual(CHECKS.checkExpression('text == "a"', ['text']), [])
    assert.equal(CHECKS.checkExpression('nothing == "a"', ['text']).length, 1)
    assert.equal(CHECKS.checkPattern('(a+)+$').length, 1)
  })
})
