import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { member } from '../../../test/support/members.ts'
import { isJsonObject } from '../../base/json.ts'
import { listAudit } from '../../events/audit-log.ts'
import { adminOf } from '../../storage/admin.ts'
import type { Database } from '../../storage/database.ts'
import { context, payers, refused } from './approval-case.test.ts'
import { answerLink } from './links.ts'

const HOUR = 3_600_000
const approve = { outcome: 'approve' } as const

forEachDatabase((_name, open) => {
  it('answers once, in the name of its user; its token is stored nowhere', async () => {
    await using db = await open()
    await using world = await payers(db)
    const { approvals, admin, tenantId } = world
    const [asked] = await world.asked()
    assert.ok(asked)
    const boss = await member(db, tenantId, 'ADMIN')
    const link = await approvals.createLink(admin, asked.id, { userId: boss.userId }, context)
    assert.match(link.token, /^af_link_[A-Za-z0-9_-]{43}$/)
    const again = await approvals.createLink(admin, asked.id, { userId: boss.userId }, context)
    assert.notEqual(link.token, again.token)
    // Looking decides nothing, however often.
    for (let look = 0; look < 3; look++)
      assert.equal((await approvals.openLink(link.token)).approval.id, asked.id)
    assert.equal((await approvals.get(tenantId, asked.id)).state, 'pending')
    const answers = await Promise.allSettled([
      approvals.answerLink(link.token, approve, context),
      approvals.answerLink(link.token, { outcome: 'decline' }, context),
      approvals.answerLink(again.token, approve, context),
    ])
    assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const token of [link.token, again.token, `${link.token.slice(0, -1)}_`, 'af_link_x']) {
      await refused(approvals.openLink(token), 'approval.link-invalid')
      await refused(approvals.answerLink(token, approve, context), 'approval.link-invalid')
    }
    const { decidedBy, votes } = await approvals.get(tenantId, asked.id)
    assert.equal(decidedBy, boss.userId)
    assert.equal(votes.length, 1)
    assert.equal((await world.ended(asked.runId)).state, 'completed')
    const rows = await db
      .tenant(tenantId)
      .read((reader) =>
        reader.query((builder, tenant) =>
          builder.selectFrom('approvalLinks').selectAll().where('tenantId', '=', tenant),
        ),
      )
    assert.ok(!JSON.stringify(rows).includes(link.token.slice(8)))
    const audit = await listAudit(db, tenantId, { limit: 100 })
    const made = audit.items.find(({ type }) => type === 'approval.link-created')
    assert.ok(isJsonObject(made?.data))
    assert.equal(made.data.user_id, boss.userId)
    assert.ok(!JSON.stringify(audit).includes(link.token.slice(8)))
    const voted = audit.items.find(({ type }) => type === 'approval.voted')
    assert.ok(isJsonObject(voted?.data))
    assert.deepEqual([voted.data.via, voted.data.link_by], ['link', admin.apiKeyId])
  })

  it('is good for a day, or as asked for, and never longer than the question', async () => {
    await using db = await open()
    const now = { ms: Date.now() }
    await using world = await payers(db, { policy: { expiresAfter: '36h' }, clock: () => now.ms })
    const { approvals, admin } = world
    const [asked] = await world.asked()
    assert.ok(asked)
    const day = await approvals.createLink(admin, asked.id, {}, context)
    assert.equal(day.expiresAt, now.ms + 24 * HOUR)
    const long = await approvals.createLink(admin, asked.id, { expiresInMs: 100 * HOUR }, context)
    assert.equal(long.expiresAt, asked.expiresAt)
    const short = await approvals.createLink(admin, asked.id, { expiresInMs: HOUR }, context)
    now.ms += HOUR
    await refused(approvals.openLink(short.token), 'approval.link-invalid')
    await refused(approvals.answerLink(short.token, approve, context), 'approval.link-invalid')
    assert.equal((await approvals.openLink(day.token)).approval.id, asked.id)
  })

  it('gets around no role, no number of people and no exclusion', async () => {
    await using db = await open()
    await using many = await payers(db, { policy: { role: 'ADMIN', quorum: 2, excludeRequester: true } })
    const { approvals, admin, tenantId } = many
    const creator = await member(db, tenantId, 'CREATOR')
    const boss = await member(db, tenantId, 'ADMIN')
    const [asked] = await many.asked()
    assert.ok(asked)
    const link = (by: typeof boss, userId: string) => approvals.createLink(by, asked.id, { userId }, context)
    // Who may not answer makes no link, in whosever name.
    await refused(link(creator, boss.userId), 'approval.not-yours')
    await refused(link(admin, boss.userId), 'approval.not-yours')
    // Nor does one person collect the answers of many.
    const other = await member(db, tenantId, 'ADMIN')
    await refused(link(boss, other.userId), 'approval.not-yours')
    const own = await link(boss, boss.userId)
    const sql = (text: string) => adminOf(db).session((session) => session.script(text))
    // A demotion takes the link with it.
    await sql(`update memberships set role = 'CREATOR' where user_id = '${boss.userId}'`)
    await refused(approvals.openLink(own.token), 'approval.link-invalid')
    await refused(approvals.answerLink(own.token, approve, context), 'approval.link-invalid')
    await sql(`update memberships set role = 'ADMIN' where user_id = '${boss.userId}'`)
    await sql(`update tenants set status = 'suspended' where id = '${tenantId}'`)
    await refused(approvals.openLink(own.token), 'approval.link-invalid')
    await sql(`update tenants set status = 'active' where id = '${tenantId}'`)
    await approvals.answerLink(own.token, approve, context)
    assert.equal((await approvals.get(tenantId, asked.id)).state, 'pending')
    assert.equal((await many.approve(other, asked)).state, 'approved')
    await many.ended(asked.runId)
  })

  it('goes with whoever made it: their key, their role, their membership', async () => {
    await using db = await open()
    await using world = await payers(db, { policy: { role: 'CREATOR' } })
    const { approvals, tenantId } = world
    const boss = await member(db, tenantId, 'ADMIN')
    const sql = (text: string) => adminOf(db).session((session) => session.script(text))
    const losses = [
      (maker: typeof boss) => `update memberships set role = 'USER' where user_id = '${maker.userId}'`,
      (maker: typeof boss) => `delete from memberships where user_id = '${maker.userId}'`,
      (maker: typeof boss) => `update api_keys set revoked_at = 1 where id = '${maker.apiKeyId}'`,
    ]
    const [asked] = await world.asked()
    assert.ok(asked)
    for (const loss of losses) {
      const maker = await member(db, tenantId, 'CREATOR')
      const other = await approvals.createLink(maker, asked.id, { userId: boss.userId }, context)
      const own = await approvals.createLink(maker, asked.id, {}, context)
      assert.equal((await approvals.openLink(other.token)).approval.id, asked.id)
      if (loss === losses[1]) await sql(`delete from api_keys where owner_id = '${maker.userId}'`)
      await sql(loss(maker))
      for (const { token } of [other, own]) {
        await refused(approvals.openLink(token), 'approval.link-invalid')
        await refused(approvals.answerLink(token, approve, context), 'approval.link-invalid')
      }
    }
    assert.equal((await approvals.get(tenantId, asked.id)).state, 'pending')
  })

  it('of whoever guesses tokens locks nothing', async () => {
    await using db = await open()
    await using world = await payers(db)
    const [asked] = await world.asked()
    assert.ok(asked)
    let writes = 0
    const watched: Database = {
      dialect: db.dialect,
      tenant: (id) => db.tenant(id),
      ping: () => db.ping(),
      [Symbol.asyncDispose]: async () => undefined,
      system: {
        read: (work) => db.system.read(work),
        write: (work) => {
          writes += 1
          return db.system.write(work)
        },
      },
    }
    const deps = { db: watched, clock: Date.now, woken: () => undefined, written: () => undefined }
    await refused(answerLink(deps, 'af_link_x', approve, context), 'approval.link-invalid')
    assert.equal(writes, 0)
    const { token } = await world.approvals.createLink(world.admin, asked.id, {}, context)
    await answerLink(deps, token, approve, context)
    assert.equal(writes, 1)
  })

  it('names nobody who is no user of the tenant', async () => {
    await using db = await open()
    await using world = await payers(db)
    const [asked] = await world.asked()
    assert.ok(asked)
    const named = { userId: 'usr_01kb2m3n4p5q6r7s8t9v0w1x2y' }
    await refused(world.approvals.createLink(world.admin, asked.id, named, context), 'request.invalid')
  })
})
