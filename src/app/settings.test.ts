import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { isAppError } from '../base/errors.ts'
import { type Environment, withEnvFile } from './settings/environment.ts'
import { PROFILE_NAMES } from './settings/profile.ts'
import { secret } from './settings/secret.ts'
import { defaultOf } from './settings/setting.ts'
import { SETTING_ROWS } from './settings/setting-table.ts'
import { settingsInForce } from './settings/settings-in-force.ts'
import { readClientSettings, readSettings } from './settings.ts'

const FOLDER = '/srv/app'

function problemsOf(environment: Environment): readonly string[] {
  try {
    readSettings(environment, FOLDER)
  } catch (error) {
    assert.ok(isAppError(error, 'settings.invalid'))
    assert.equal(error.message, error.errors.map(({ message }) => message).join('\n'))
    return error.errors.map(({ message }) => message)
  }
  return []
}

describe('settings', () => {
  it('need nothing at all', () => {
    const settings = readSettings({}, FOLDER)
    assert.equal(settings.profile.name, 'LOCAL_DEV')
    assert.deepEqual(settings.database, {
      engine: 'sqlite',
      path: '/srv/app/.agent-factory/agent-factory.db',
    })
    assert.deepEqual(settings.server, {
      host: '127.0.0.1',
      port: 8787,
      corsOrigins: [],
      shutdownTimeoutMs: 15_000,
    })
    assert.equal(settings.models.starter, 'offline/extractive')
    assert.deepEqual(settings.tracing, { state: 'off' })
    assert.deepEqual(settings.secrets, [])
  })

  it('take the defaults of the profile', () => {
    const { server, log } = readSettings({ DEPLOYMENT_TYPE: 'DOCKER_MONOLITH' }, FOLDER)
    assert.equal(server.host, '0.0.0.0')
    assert.equal(log.format, 'json')
  })

  it('have defaults that their own rows allow, in every profile', () => {
    for (const row of SETTING_ROWS) {
      if (!('default' in row)) continue
      for (const profile of PROFILE_NAMES)
        assert.notEqual(row.parse(defaultOf(row, profile)), undefined, row.name)
    }
  })

  it('count an empty variable as absent', () => {
    assert.equal(readSettings({ PORT: '', OPENAI_API_KEY: ' ' }, FOLDER).server.port, 8787)
  })

  it('tell every wrong value at once, one line each: variable, value, what is allowed', () => {
    assert.deepEqual(problemsOf({ PORT: '80 80', LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://a:b@c/d' }), [
      'PORT="80 80" is not allowed; allowed: a whole number from 0 to 65535.',
      'DATABASE_URL=(hidden) is not allowed; allowed: sqlite:path/of/file.db or postgres://user:password@host:5432/name.',
      'LOG_LEVEL="loud" is not allowed; allowed: trace, debug, info, warn, error, fatal, silent.',
    ])
  })

  it('keep a wrong value on its line, however long and whatever is in it', () => {
    const [line = ''] = problemsOf({ PORT: `1\u001b[2J\n${'9'.repeat(500)}` })
    assert.ok(!line.includes('\n') && !line.includes('\u001b') && line.length < 200, line)
  })

  it('refuse what this release does not have rather than ignore it', () => {
    assert.match(
      problemsOf({ REDIS_URL: 'redis://:pw@h' })[0] ?? '',
      /^REDIS_URL is set, but this release does not use it/,
    )
    assert.match(
      problemsOf({ DEPLOYMENT_TYPE: 'EDGE_RUNNER' })[0] ?? '',
      /^DEPLOYMENT_TYPE=EDGE_RUNNER is not in this release/,
    )
    assert.match(
      problemsOf({ DEPLOYMENT_TYPE: 'local' })[0] ?? '',
      /^DEPLOYMENT_TYPE="local" is not allowed; allowed: LOCAL_DEV/,
    )
  })

  it('want a database by name where several processes share one', () => {
    assert.match(problemsOf({ DEPLOYMENT_TYPE: 'KUBERNETES' })[0] ?? '', /^DATABASE_URL is missing/)
    const environment = { DEPLOYMENT_TYPE: 'KUBERNETES', DATABASE_URL: 'postgres://u:p@db/x' }
    assert.equal(readSettings(environment, FOLDER).database.engine, 'postgres')
  })

  it('pick the model of the starter from the keys that are there', () => {
    const starter = (environment: Environment): string => readSettings(environment, FOLDER).models.starter
    assert.match(starter({ OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' }), /^openai\//)
    assert.match(starter({ ANTHROPIC_API_KEY: 'k', GOOGLE_GENERATIVE_AI_API_KEY: 'g' }), /^anthropic\//)
    assert.match(starter({ GOOGLE_GENERATIVE_AI_API_KEY: 'g' }), /^google\//)
    assert.equal(starter({ OPENAI_API_KEY: 'k', AGENT_FACTORY_MODEL: 'ollama/qwen3' }), 'ollama/qwen3')
  })

  it('read named model servers with their keys', () => {
    const environment = {
      MODEL_PROVIDERS: 'ollama=http://127.0.0.1:11434/v1/, lab-1=https://lab.test/v1',
      LAB_1_API_KEY: 'k1',
    }
    const [ollama, lab] = readSettings(environment, FOLDER).models.compatible
    assert.deepEqual(ollama, { name: 'ollama', baseUrl: 'http://127.0.0.1:11434/v1', apiKey: undefined })
    assert.equal(lab?.apiKey?.reveal(), 'k1')
    assert.match(problemsOf({ MODEL_PROVIDERS: 'openai=https://a.test' })[0] ?? '', /built in/)
    assert.match(problemsOf({ MODEL_PROVIDERS: 'a=https://u:p@a.test' })[0] ?? '', /^MODEL_PROVIDERS=/)
  })

  it('never print a secret', () => {
    const environment = {
      OPENAI_API_KEY: 'canary-1',
      DATABASE_URL: 'postgres://u:canary-2@localhost/d',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20canary-3',
    }
    const settings = readSettings(environment, FOLDER)
    const printed = [
      inspect(settings, { depth: 9, showHidden: true }),
      JSON.stringify(settings),
      `${settings.models.openai.apiKey}`,
    ]
    assert.doesNotMatch(printed.join('\n'), /canary/)
    assert.deepEqual(settings.secrets.map((held) => held.reveal()).toSorted(), [
      'Bearer canary-3',
      'canary-1',
      'canary-2',
      'canary-2',
      'postgres://u:canary-2@localhost/d',
    ])
    assert.equal(String(secret('x')), '[secret]')
  })

  it('never print a password of an address that is wrong because of it', () => {
    const url = 'https://me:canary-1@a.test/v1?key=canary-2'
    const problems = problemsOf({
      OPENAI_BASE_URL: url,
      MODEL_PROVIDERS: `lab=${url},x=${url}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      CORS_ORIGINS: url,
    })
    assert.equal(problems.length, 4)
    assert.match(problems.join('\n'), /^OPENAI_BASE_URL="https:\/\/\(hidden\)@a\.test/m)
    assert.doesNotMatch(problems.join('\n'), /canary/)
    assert.doesNotMatch(JSON.stringify(settingsInForce({ OPENAI_BASE_URL: url }, 'LOCAL_DEV')), /canary/)
  })

  it('of a client look at three variables only', () => {
    const settings = readClientSettings(
      { PORT: 'wrong', AGENT_FACTORY_URL: 'http://h:1/', AGENT_FACTORY_API_KEY: 'af_x' },
      FOLDER,
    )
    assert.equal(settings.apiUrl, 'http://h:1')
    assert.equal(settings.apiKey?.reveal(), 'af_x')
    assert.equal(settings.dataDir, '/srv/app/.agent-factory')
  })

  it('take from .env what the environment does not say', () => {
    const folder = mkdtempSync(join(tmpdir(), 'af-env-'))
    try {
      writeFileSync(join(folder, '.env'), 'PORT=1000\nLOG_LEVEL="warn" # quiet\n')
      const merged = withEnvFile({ PORT: '2000', LOG_LEVEL: '' }, folder)
      assert.deepEqual({ ...merged }, { PORT: '2000', LOG_LEVEL: 'warn' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
