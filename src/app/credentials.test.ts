import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createIdentity } from '../identity/create-identity.ts'
import { migrate } from '../storage/migrations/migrate.ts'
import { openDatabase } from '../storage/open.ts'
import { credentialsPath, ensureFirstAdmin, readCredentials, writeCredentials } from './credentials.ts'

describe('the credentials of the first admin', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'af-credentials-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const open = async () => {
    const stack = new AsyncDisposableStack()
    const db = stack.use(await openDatabase('sqlite::memory:'))
    await migrate(db)
    return {
      identity: stack.use(createIdentity({ db, clock: Date.now })),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  }

  it('are made once, for this user only, and found again', async () => {
    await using opened = await open()
    const dataDir = join(folder, 'data')
    const first = await ensureFirstAdmin(opened.identity, dataDir)
    assert.equal(first.created, true)
    assert.equal(statSync(first.path).mode & 0o777, 0o600)
    assert.equal(statSync(dataDir).mode & 0o777, 0o700)
    const principal = await opened.identity.authenticateKey(first.apiKey)
    assert.ok(principal.permissions.has('ADMIN'))
    assert.deepEqual(await ensureFirstAdmin(opened.identity, dataDir), { ...first, created: false })
  })

  it('are made anew for an empty database', async () => {
    await writeCredentials(folder, { apiKey: 'of another database', apiUrl: 'http://a:1' })
    await using opened = await open()
    const { apiKey, created } = await ensureFirstAdmin(opened.identity, folder)
    assert.equal(created, true)
    assert.deepEqual(await readCredentials(folder), { apiKey, apiUrl: 'http://a:1' })
  })

  it('that are gone are told of, not made up', async () => {
    await using opened = await open()
    const { path } = await ensureFirstAdmin(opened.identity, folder)
    rmSync(path)
    await assert.rejects(ensureFirstAdmin(opened.identity, folder), {
      code: 'settings.invalid',
      message: /is gone/,
    })
    assert.equal(existsSync(path), false)
  })

  it('are not lost when the folder cannot be written', async () => {
    await using opened = await open()
    const file = join(folder, 'a-file')
    writeFileSync(file, '')
    await assert.rejects(ensureFirstAdmin(opened.identity, file))
    assert.equal((await ensureFirstAdmin(opened.identity, folder)).created, true)
  })

  it('tell when the file is not theirs', async () => {
    writeFileSync(credentialsPath(folder), '[]')
    await assert.rejects(readCredentials(folder), { code: 'settings.invalid' })
    assert.equal(readFileSync(credentialsPath(folder), 'utf8'), '[]')
  })
})
