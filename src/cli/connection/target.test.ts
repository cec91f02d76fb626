import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chooseTarget, type TargetInput, URL_DEFAULT } from './target.ts'

const NOTHING: TargetInput = {
  flags: { apiUrl: undefined, apiKey: undefined, local: false },
  environment: { apiUrl: undefined, apiKey: undefined },
  folder: undefined,
  login: undefined,
  localDev: true,
}
const FLAGS = NOTHING.flags
const FOLDER = { apiUrl: 'http://127.0.0.1:8787', apiKey: 'folder' }
const LOGIN = { apiUrl: 'https://af.example', apiKey: 'login' }
const ENVIRONMENT = { apiUrl: 'http://env:1', apiKey: 'env' }

describe('the server that a command speaks to', () => {
  const choose = (input: Partial<TargetInput>) => chooseTarget({ ...NOTHING, ...input })

  it('is named by flags, then the environment, then the folder, then the login', () => {
    const all = { environment: ENVIRONMENT, folder: FOLDER, login: LOGIN }
    const flags = { ...FLAGS, apiUrl: 'http://flag:1', apiKey: 'flag' }
    assert.deepEqual(choose({ ...all, flags }), { kind: 'server', url: 'http://flag:1', apiKey: 'flag' })
    assert.deepEqual(choose(all), { kind: 'server', url: 'http://env:1', apiKey: 'env' })
    assert.deepEqual(choose({ folder: FOLDER, login: LOGIN }), {
      kind: 'folder',
      url: FOLDER.apiUrl,
      apiKey: 'folder',
    })
    assert.deepEqual(choose({ login: LOGIN }), { kind: 'server', url: LOGIN.apiUrl, apiKey: 'login' })
  })

  it('is this process where nothing is known, in LOCAL_DEV only', () => {
    assert.deepEqual(choose({}), { kind: 'folder', url: undefined, apiKey: undefined })
    assert.deepEqual(choose({ localDev: false }), { kind: 'no-key', url: URL_DEFAULT })
    assert.deepEqual(choose({ login: LOGIN, flags: { ...FLAGS, local: true } }), { kind: 'local' })
  })

  it('never gets a key that was stored for another server', () => {
    const flags = { ...FLAGS, apiUrl: 'https://evil.example' }
    assert.deepEqual(choose({ flags, folder: FOLDER, login: LOGIN }), { kind: 'no-key', url: flags.apiUrl })
    assert.deepEqual(
      choose({ flags: { ...FLAGS, apiUrl: 'https://af.example/' }, folder: FOLDER, login: LOGIN }),
      {
        kind: 'server',
        url: 'https://af.example/',
        apiKey: 'login',
      },
    )
    assert.equal(choose({ flags: { ...FLAGS, apiUrl: 'http://af.example' }, login: LOGIN }).kind, 'no-key')
  })
})
