import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openSecretKey } from './secret-key.ts'
import type { Environment } from './settings/environment.ts'
import { readSettings } from './settings.ts'

describe('the secret key', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'af-key-'))
  })
  after(() => rmSync(folder, { recursive: true }))
  const open = (dir: string, environment: Environment = {}) =>
    openSecretKey(readSettings({ AGENT_FACTORY_DATA_DIR: join(folder, dir), ...environment }))

  it('is made once in LOCAL_DEV, for this user only, also by two processes at once', async () => {
    const [first, second] = await Promise.all([open('a'), open('a')])
    assert.equal(first?.length, 32)
    assert.deepEqual(first, second)
    assert.deepEqual(await open('a'), first)
    const path = join(folder, 'a', 'secret-key')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(readFileSync(path, 'utf8').trim(), Buffer.from(first ?? []).toString('hex'))
  })

  it('is the one that is given, in every profile', async () => {
    const given = { AGENT_FACTORY_SECRET_KEY: 'ab'.repeat(40), DEPLOYMENT_TYPE: 'DOCKER_MONOLITH' }
    assert.equal((await open('b', given))?.length, 40)
  })

  it('is made nowhere else', async () => {
    assert.equal(await open('c', { DEPLOYMENT_TYPE: 'DOCKER_MONOLITH' }), undefined)
  })

  it('that was spoilt stops the start: another key would read no secret', async () => {
    await open('d')
    writeFileSync(join(folder, 'd', 'secret-key'), 'short\n')
    await assert.rejects(open('d'), { code: 'settings.invalid', message: /holds no key: restore the file/ })
  })
})
