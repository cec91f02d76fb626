// Several processes on one SQLite file: the case of a server and a worker, or of a crash.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { newId, type TenantId } from '../../base/ids.ts'
import { addBody, countBodies, countUp, getBody } from '../contract-statements.ts'
import type { Database } from '../database.ts'
import { migrate } from '../migrations/migrate.ts'
import { checkSchemaAgreement } from '../migrations/schema-agreement.ts'
import { openDatabase } from '../open.ts'

const UNITS = 300

async function withFile(work: (url: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-factory-sqlite-'))
  try {
    await work(`sqlite:${join(folder, 'data.db')}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Another process in which `db` is the database and `tenant` the tenant; what it prints shows where it is. */
function startChild(url: string, tenantId: TenantId, body: string): ChildProcess {
  const load = (path: string): string =>
    `await import(${JSON.stringify(new URL(path, import.meta.url).href)})`
  const code = `
    const { openDatabase } = ${load('../open.ts')}
    const { migrate } = ${load('../migrations/migrate.ts')}
    const { addBody, countUp } = ${load('../contract-statements.ts')}
    const db = await openDatabase(${JSON.stringify(url)}, { sqlite: { unitMsMax: 60_000 } })
    const tenant = db.tenant(${JSON.stringify(tenantId)})
    ${body}`
  return spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function countTo(db: Database, tenantId: TenantId): Promise<void> {
  const unit = (): Promise<unknown> => db.tenant(tenantId).write((tx) => tx.run(countUp, { hash: 'counter' }))
  for (let i = 0; i < UNITS; i += 3) await Promise.all([unit(), unit(), unit()])
}

describe('SQLite with several processes', () => {
  it('writes from two processes at once without an error and without losing a write', () =>
    withFile(async (url) => {
      const tenantId = newId('tenant')
      await using db = await openDatabase(url)
      await migrate(db)
      await db.tenant(tenantId).write((tx) => tx.run(addBody, { hash: 'counter', bytes: 0 }))
      const child = startChild(
        url,
        tenantId,
        `console.log('ready')
        const unit = () => tenant.write((tx) => tx.run(countUp, { hash: 'counter' }))
        for (let i = 0; i < ${UNITS}; i += 3) await Promise.all([unit(), unit(), unit()])
        await db[Symbol.asyncDispose]()`,
      )
      const ended = once(child, 'exit')
      if (child.stdout !== null) await once(child.stdout, 'data')
      await countTo(db, tenantId)
      assert.deepEqual(await ended, [0, null])
      const row = await db.tenant(tenantId).read((reader) => reader.first(getBody, { hash: 'counter' }))
      assert.equal(row?.bytes, 2 * UNITS)
    }))

  it('has nothing of a unit whose process was killed in the middle, and all of those before it', () =>
    withFile(async (url) => {
      const tenantId = newId('tenant')
      const child = startChild(
        url,
        tenantId,
        `await migrate(db)
        await tenant.write((tx) => tx.run(addBody, { hash: 'before', bytes: 1 }))
        const units = ['a', 'b'].map((hash) => tenant.write(async (tx) => {
          for (let i = 0; i < 500; i++) await tx.run(addBody, { hash: hash + i, bytes: i })
          if (hash === 'a') return
          console.log('in the middle')
          await new Promise((resolve) => setTimeout(resolve, 60_000))
        }))
        await Promise.all(units)`,
      )
      const ended = once(child, 'exit')
      if (child.stdout !== null) await once(child.stdout, 'data')
      child.kill('SIGKILL')
      await ended
      await using db = await openDatabase(url)
      const tenant = db.tenant(tenantId)
      assert.deepEqual(await tenant.read((reader) => reader.first(countBodies, {})), { bodyCount: 1 })
      assert.equal(await tenant.write((tx) => tx.run(addBody, { hash: 'after', bytes: 1 })), 1)
    }))

  it('migrates once when two processes start at the same moment', () =>
    withFile(async (url) => {
      const tenantId = newId('tenant')
      const children = [1, 2].map(() =>
        startChild(url, tenantId, 'await migrate(db); await db[Symbol.asyncDispose]()'),
      )
      const ended = children.map((child) => once(child, 'exit'))
      assert.deepEqual(await Promise.all(ended), [
        [0, null],
        [0, null],
      ])
      await using db = await openDatabase(url)
      assert.deepEqual(await checkSchemaAgreement(db), [])
    }))
})
