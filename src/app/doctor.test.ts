import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { migrate } from '../storage/migrations/migrate.ts'
import { openDatabase } from '../storage/open.ts'
import type { Diagnosis } from './diagnosis.ts'
import { diagnose } from './doctor.ts'

describe('the doctor', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'af-doctor-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const line = (diagnosis: Diagnosis, name: string): string =>
    diagnosis.checks
      .flatMap((check) => (check.name === name ? [`${check.status}: ${check.detail}`] : []))
      .join('\n')

  it('finds nothing wrong with an empty folder and no settings, and makes nothing', async () => {
    const diagnosis = await diagnose({ PORT: '0' }, folder)
    assert.equal(diagnosis.ok, true)
    assert.match(line(diagnosis, 'database'), /^ok: .*made at the first start/)
    assert.match(line(diagnosis, 'models'), /^warning: usable: offline; openai needs OPENAI_API_KEY/)
    assert.equal(existsSync(join(folder, '.agent-factory')), false)
  })

  it('says where each setting comes from, and masks secrets', async () => {
    const { settings } = await diagnose({ PORT: '0', OPENAI_API_KEY: 'canary' }, folder)
    const row = (name: string) => settings.find((setting) => setting.name === name)
    assert.deepEqual(row('PORT'), { name: 'PORT', value: '0', source: 'environment' })
    assert.deepEqual(row('HOST'), { name: 'HOST', value: '127.0.0.1', source: 'profile' })
    assert.deepEqual(row('OPENAI_API_KEY'), {
      name: 'OPENAI_API_KEY',
      value: '[secret]',
      source: 'environment',
    })
  })

  it('tells wrong values and typing mistakes', async () => {
    const diagnosis = await diagnose({ PORT: 'x', AGENT_FACTORY_MODLE: 'a/b' }, folder)
    assert.equal(diagnosis.ok, false)
    assert.match(
      line(diagnosis, 'settings'),
      /^warning: AGENT_FACTORY_MODLE is set[\s\S]*failed: PORT="x" is not allowed/,
    )
  })

  it('tells a database whose tables are old', async () => {
    const url = `sqlite:${join(folder, 'old.db')}`
    await (await openDatabase(url))[Symbol.asyncDispose]()
    const environment = { PORT: '0', DATABASE_URL: url }
    assert.match(line(await diagnose(environment, folder), 'schema'), /^ok: .*applied at the next start/)
    const strict = await diagnose({ ...environment, DEPLOYMENT_TYPE: 'KUBERNETES' }, folder)
    assert.match(line(strict, 'schema'), /^failed: .*db migrate/)
    await using db = await openDatabase(url)
    await migrate(db)
    assert.equal(line(await diagnose(environment, folder), 'schema'), 'ok: current')
  })

  it('tells a database that does not answer, without its password', async () => {
    const diagnosis = await diagnose({ PORT: '0', DATABASE_URL: 'postgres://u:canary@127.0.0.1:1/x' }, folder)
    assert.match(line(diagnosis, 'database'), /^failed: /)
    assert.doesNotMatch(JSON.stringify(diagnosis), /canary/)
  })

  it('tells a port that another program has', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    try {
      assert.match(
        line(await diagnose({ PORT: String(port) }, folder), 'port'),
        /^failed: .*in use by another program/,
      )
    } finally {
      server.close()
    }
  })

  it('tells a model that cannot be used and folders that are not there', async () => {
    const environment = {
      PORT: '0',
      AGENT_FACTORY_MODEL: 'anthropic/claude',
      DOCUMENT_FOLDERS: 'a=./nowhere',
    }
    const diagnosis = await diagnose(environment, folder)
    assert.match(line(diagnosis, 'models'), /^failed: .*needs ANTHROPIC_API_KEY/)
    assert.match(line(diagnosis, 'documents'), /^failed: .*nowhere/)
  })
})
