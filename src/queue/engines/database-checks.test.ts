import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { systemClock } from '../../base/time.ts'
import { checkJobDatabase, clockFinding, diskFinding, poolerFinding } from './database-checks.ts'

describe('checks of the database that holds the jobs', () => {
  forEachDatabase((name, open) => {
    it('finds a usual one in order', async () => {
      await using db = await open()
      const findings = await checkJobDatabase(db, { clock: systemClock, sqlitePath: import.meta.filename })
      const names = name === 'sqlite' ? ['disk'] : ['clock', 'pooler']
      assert.deepEqual(
        findings.map((finding) => finding.name),
        names,
      )
      assert.ok(findings.every(({ status }) => status === 'ok'))
    })

    if (name === 'postgres') {
      it('sees that the clocks differ', async () => {
        await using db = await open()
        const [clock] = await checkJobDatabase(db, { clock: () => Date.now() + 300_000 })
        assert.equal(clock?.status, 'warning')
        assert.match(clock?.message ?? '', /(300\.0|299\.9) s ahead of/)
      })
    }
  })

  it('tells clocks that differ by more than a second', () => {
    assert.equal(clockFinding(900).status, 'ok')
    assert.match(clockFinding(-4_000).message, /4\.0 s behind/)
  })

  it('tells a pooler by the connections that sessions share', () => {
    assert.equal(poolerFinding({ before: 1, within: 2, meanwhile: 1 }).status, 'ok')
    assert.equal(poolerFinding({ before: 1, within: 1, meanwhile: 2 }).status, 'warning')
    assert.equal(poolerFinding({ before: 1, within: 2, meanwhile: 3 }).status, 'warning')
  })

  it('tells a network disk by its kind', () => {
    assert.equal(diskFinding(0xef53).status, 'ok')
    assert.match(diskFinding(0x6969).message, /nfs/)
    // As a signed number, as some systems give it.
    assert.match(diskFinding(0xff534d42 | 0).message, /cifs/)
  })
})
