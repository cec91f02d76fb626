import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { type ErrorCode, isAppError } from '../base/errors.ts'
import { newId, type TenantId } from '../base/ids.ts'
import type { Database } from '../storage/database.ts'
import { appendAudit, appendRunEvent } from './append.ts'
import { listAudit } from './audit-log.ts'

forEachDatabase((_, open) => {
  describe('listAudit', () => {
    it('gives the facts of the tenant, newest first, and no other event', async () => {
      await using db = await open()
      const mine = newId('tenant')
      const theirs = newId('tenant')
      await append(db, mine, 'a')
      await append(db, theirs, 'b')
      await db.tenant(mine).write(async (tx) => {
        const run = { runId: newId('run'), actor: 'w', data: {}, at: 1 }
        await appendRunEvent(tx, { ...run, type: 'run.started', runSeq: 1 })
        await appendRunEvent(tx, { ...run, type: 'run.cancel-requested', runSeq: 2 })
      })
      await append(db, mine, 'c')
      const { items, nextCursor } = await listAudit(db, mine, { limit: 10 })
      assert.deepEqual(
        items.map(({ type, actor }) => [type, actor]),
        [
          ['tenant.updated', 'c'],
          ['run.cancel-requested', 'w'],
          ['tenant.updated', 'a'],
        ],
      )
      assert.equal(nextCursor, undefined)
      const [first] = items
      assert.deepEqual(first, {
        seq: first?.seq,
        type: 'tenant.updated',
        actor: 'c',
        subject: mine,
        data: { n: { before: 1, after: 2 } },
        requestId: 'req',
        occurredAt: 5,
      })
    })

    it('neither skips nor repeats while facts are written', async () => {
      await using db = await open()
      const tenantId = newId('tenant')
      for (let i = 0; i < 7; i++) await append(db, tenantId, `${i}`)
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await listAudit(db, tenantId, { limit: 3, cursor })
        seen.push(...page.items.map(({ actor }) => actor))
        cursor = page.nextCursor
        await append(db, tenantId, 'later')
      } while (cursor !== undefined)
      assert.deepEqual(seen, ['6', '5', '4', '3', '2', '1', '0'])
    })

    it('has no cursor after a last page that is full, and none for nothing', async () => {
      await using db = await open()
      const tenantId = newId('tenant')
      assert.deepEqual(await listAudit(db, tenantId, { limit: 2 }), { items: [] })
      await append(db, tenantId, 'a')
      await append(db, tenantId, 'b')
      assert.equal((await listAudit(db, tenantId, { limit: 2 })).nextCursor, undefined)
    })

    it('refuses cursors that it did not give, and limits out of bounds', async () => {
      await using db = await open()
      const tenantId = newId('tenant')
      const encode = (text: string) => Buffer.from(text).toString('base64url')
      for (const cursor of [
        '',
        '5',
        encode('audit:-1'),
        encode('audit:1 or 1'),
        encode('audit:9999999999999999'),
      ]) {
        await assert.rejects(
          listAudit(db, tenantId, { limit: 1, cursor }),
          withCode('cursor.invalid'),
          cursor,
        )
      }
      for (const limit of [0, 201, 0.5, Number.NaN]) {
        await assert.rejects(listAudit(db, tenantId, { limit }), withCode('request.invalid'))
      }
    })
  })
})

async function append(db: Database, tenantId: TenantId, actor: string): Promise<void> {
  await db.tenant(tenantId).write((tx) =>
    appendAudit(tx, {
      type: 'tenant.updated',
      actor,
      subject: tenantId,
      data: { n: { before: 1, after: 2 } },
      requestId: 'req',
      at: 5,
    }),
  )
}

function withCode(code: ErrorCode) {
  return (error: unknown) => isAppError(error, code)
}
