import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { isAppError } from '../base/errors.ts'
import { type Environment, withEnvFile } from './settings/environment.ts'
import { secretKeyBytes } from './settings/job-queue.ts'
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
      problemsOf({ OBJECT_STORAGE_URL: 's3://pw@h' })[0] ?? '',
      /^OBJECT_STORAGE_URL is set, but this release does not use it/,
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

  it('name the engine that carries tickets; JOB_QUEUE_URL wins', () => {
    const postgres = { DATABASE_URL: 'postgres://u:p@db/x' }
    const engine = (environment: Environment) => readSettings(environment, FOLDER).jobQueue
    assert.deepEqual(engine({}), { engine: 'database' })
    assert.deepEqual(engine({ JOB_QUEUE_URL: 'memory:' }), { engine: 'memory' })
    assert.deepEqual(engine({ ...postgres, JOB_QUEUE_URL: 'pg-boss:' }), { engine: 'pg-boss' })
    assert.equal(engine({ REDIS_URL: 'rediss://:pw@h:6380/2' }).engine, 'bullmq')
    assert.deepEqual(engine({ REDIS_URL: 'redis://h', JOB_QUEUE_URL: 'memory:' }), { engine: 'memory' })
    assert.deepEqual(
      engine({ JOB_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs.fifo' }),
      {
        engine: 'sqs',
        queueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs.fifo',
        endpoint: undefined,
        region: 'eu-west-1',
      },
    )
    assert.deepEqual(engine({ JOB_QUEUE_URL: 'sqs://127.0.0.1:4566/000000000000/jobs' }), {
      engine: 'sqs',
      queueUrl: 'http://127.0.0.1:4566/000000000000/jobs',
      endpoint: 'http://127.0.0.1:4566',
      region: undefined,
    })
  })

  it('refuse an engine that cannot be, and tell no password of it', () => {
    assert.deepEqual(problemsOf({ REDIS_URL: 'http://:canary@h' }), [
      'REDIS_URL=(hidden) is not allowed; allowed: redis://user:password@host:6379/0 or rediss://….',
    ])
    assert.deepEqual(problemsOf({ JOB_QUEUE_URL: 'pg-boss:' }), [
      'JOB_QUEUE_URL="pg-boss:" needs a Postgres: set DATABASE_URL=postgres://…, or unset JOB_QUEUE_URL.',
    ])
    for (const url of ['kafka://h', 'http://h/1/q', 'https://h/only', 'sqs://u:canary@h/1/q', 'memory']) {
      const [line = ''] = problemsOf({ JOB_QUEUE_URL: url })
      assert.match(line, /^JOB_QUEUE_URL="[^"]+" is not allowed; allowed: https:\/\/sqs\.REGION/)
      assert.doesNotMatch(line, /canary/)
    }
    const settings = readSettings({ REDIS_URL: 'redis://u:can%61ry@h' }, FOLDER)
    assert.doesNotMatch(inspect(settings, { depth: 9 }), /can%61ry|canary/)
    assert.deepEqual(settings.secrets.map((held) => held.reveal()).toSorted(), [
      'can%61ry',
      'canary',
      'redis://u:can%61ry@h',
    ])
  })

  it('read what a worker takes, and AWS by the names of its SDK', () => {
    const environment = {
      AGENT_FACTORY_WORKER_KINDS: 'agent, workflow',
      AGENT_FACTORY_TENANT_CONCURRENCY: '4',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIA1',
      AWS_SECRET_ACCESS_KEY: 'canary-1',
    }
    const { workerKinds, tenantConcurrency, aws, secrets } = readSettings(environment, FOLDER)
    assert.deepEqual([workerKinds, tenantConcurrency], [['agent', 'workflow'], 4])
    assert.deepEqual([aws.region, aws.credentials?.accessKeyId], ['eu-central-1', 'AKIA1'])
    assert.deepEqual(
      secrets.map((held) => held.reveal()),
      ['canary-1'],
    )
    assert.equal(readSettings({ AWS_ACCESS_KEY_ID: 'AKIA1' }, FOLDER).aws.credentials, undefined)
    assert.match(problemsOf({ AGENT_FACTORY_WORKER_KINDS: 'agents' })[0] ?? '', /allowed: agent, workflow\.$/)
    assert.match(problemsOf({ AGENT_FACTORY_TENANT_CONCURRENCY: '0' })[0] ?? '', /from 1 to 100000\.$/)
  })

  it('take a secret key of 32 bytes in hex or base64, and no weaker one', () => {
    const bytes = Buffer.alloc(32, 7)
    for (const text of [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')]) {
      const key = readSettings({ AGENT_FACTORY_SECRET_KEY: text }, FOLDER).secretKey
      assert.deepEqual(Buffer.from(secretKeyBytes(key?.reveal() ?? '') ?? []), bytes)
    }
    for (const text of ['ab'.repeat(31), 'short', 'with space '.repeat(9)]) {
      const [line = ''] = problemsOf({ AGENT_FACTORY_SECRET_KEY: text })
      assert.match(line, /^AGENT_FACTORY_SECRET_KEY=\(hidden\) is not allowed; allowed: 32 bytes/)
    }
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
