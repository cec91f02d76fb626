// The table of settings: one row for each variable of the environment. A new setting is a row here and a line in settings.ts.

import { JOB_QUEUE_FORMS, parseJobQueueUrl, parseRedisUrl, parseSecretKey } from './job-queue.ts'
import {
  parseDatabaseUrl,
  parseHeaders,
  parseHost,
  parseHostPort,
  parseHttpUrl,
  parseKey,
  parseList,
  parseNamedPath,
  parseNamedUrl,
  parseOneOf,
  parseOrigin,
  parseWhole,
} from './parse-text.ts'
import { FUTURE_PROFILE_NAMES, PROFILE_NAMES, parseProfile } from './profile.ts'
import type { DefaultedSetting, FutureSetting, OptionalSetting, Setting, SettingGroup } from './setting.ts'

const HTTP_URL = 'an http:// or https:// address without a user, a query or a fragment'
const KEY = 'one word of printable characters'
/** Of the handlers that a worker has. */
const JOB_KINDS = ['agent', 'workflow'] as const
const MODEL = /^[a-z0-9][a-z0-9_-]*\/\S{1,180}$/

export const SETTINGS = {
  deploymentType: defaulted('server', {
    name: 'DEPLOYMENT_TYPE',
    summary: 'Where the product runs; picks the defaults of other settings.',
    allowed: `${PROFILE_NAMES.join(', ')} (${FUTURE_PROFILE_NAMES.join(' and ')} are not in this release)`,
    default: 'LOCAL_DEV',
    parse: parseProfile,
  }),
  host: defaulted('server', {
    name: 'HOST',
    summary: 'The address to listen on.',
    allowed: 'an IP address or a host name',
    default: { LOCAL_DEV: '127.0.0.1', DOCKER_MONOLITH: '0.0.0.0', KUBERNETES: '0.0.0.0' },
    parse: parseHost,
  }),
  port: defaulted('server', {
    name: 'PORT',
    summary: 'The port to listen on; 0 takes a free one.',
    allowed: 'a whole number from 0 to 65535',
    default: '8787',
    parse: parseWhole(0, 65_535),
  }),
  corsOrigins: defaulted('server', {
    name: 'CORS_ORIGINS',
    summary: 'Web origins whose pages may call the API from a browser, separated by commas.',
    allowed: 'origins such as https://app.example.com, or *',
    default: '',
    defaultNote: 'none',
    parse: parseList(parseOrigin),
  }),
  shutdownTimeoutMs: defaulted('server', {
    name: 'SHUTDOWN_TIMEOUT_MS',
    summary: 'How long a stop waits for requests and runs under way, in milliseconds.',
    allowed: 'a whole number from 0 to 600000',
    default: '15000',
    parse: parseWhole(0, 600_000),
  }),
  dataDir: defaulted('storage', {
    name: 'AGENT_FACTORY_DATA_DIR',
    summary: 'The folder of the SQLite database and, in LOCAL_DEV, of credentials.json.',
    allowed: 'the path of a folder',
    default: '.agent-factory',
    parse: (text) => (text.includes('\0') ? undefined : text),
  }),
  database: optional('storage', {
    name: 'DATABASE_URL',
    summary: 'The database. A Postgres address holds a password and is never shown.',
    allowed: 'sqlite:path/of/file.db or postgres://user:password@host:5432/name',
    defaultNote: 'SQLite in the data folder; KUBERNETES needs a value',
    secret: true,
    parse: parseDatabaseUrl,
  }),
  secretKey: optional('storage', {
    name: 'AGENT_FACTORY_SECRET_KEY',
    summary: 'The key under which secrets of webhook triggers are stored. Every process has the same one.',
    allowed: '32 bytes or more in hex or base64, for example from "openssl rand -base64 32"',
    defaultNote:
      'in LOCAL_DEV a file secret-key in the data folder, made once; elsewhere webhook triggers are refused',
    secret: true,
    parse: parseSecretKey,
  }),
  workerConcurrency: defaulted('queue', {
    name: 'WORKER_CONCURRENCY',
    summary: 'How many runs this process advances at the same time; 0 makes it serve the API only.',
    allowed: 'a whole number from 0 to 1000',
    default: '16',
    parse: parseWhole(0, 1_000),
  }),
  workerKinds: defaulted('queue', {
    name: 'AGENT_FACTORY_WORKER_KINDS',
    summary: 'The kinds of jobs that this process takes, separated by commas.',
    allowed: 'agent, workflow',
    default: '',
    defaultNote: 'all kinds',
    parse: parseList(parseOneOf(...JOB_KINDS)),
  }),
  tenantConcurrency: optional('queue', {
    name: 'AGENT_FACTORY_TENANT_CONCURRENCY',
    summary:
      'How many jobs of one tenant run at the same time, over all workers, where the tenant has no number of its own.',
    allowed: 'a whole number from 1 to 100000',
    defaultNote: 'as many as the workers take',
    parse: parseWhole(1, 100_000),
  }),
  redisUrl: optional('queue', {
    name: 'REDIS_URL',
    summary:
      'A Redis server that tells workers of jobs (BullMQ). The jobs themselves stay in the database. Needs the packages bullmq and ioredis.',
    allowed: 'redis://user:password@host:6379/0 or rediss://…',
    defaultNote: 'workers ask the database',
    secret: true,
    parse: parseRedisUrl,
  }),
  jobQueueUrl: optional('queue', {
    name: 'JOB_QUEUE_URL',
    summary:
      'What tells workers of jobs; it wins over REDIS_URL. SQS needs the package @aws-sdk/client-sqs, pg-boss the package pg-boss; memory: reaches this process only.',
    allowed: JOB_QUEUE_FORMS,
    defaultNote: 'REDIS_URL where it is set, else workers ask the database',
    parse: parseJobQueueUrl,
  }),
  awsRegion: optional('queue', {
    name: 'AWS_REGION',
    summary: 'The region of the SQS queue, where its address does not tell it.',
    allowed: 'a region such as eu-central-1',
    defaultNote: 'as the AWS SDK finds it',
    parse: (text) => (/^[a-z0-9-]{2,32}$/.test(text) ? text : undefined),
  }),
  awsAccessKeyId: optional('queue', {
    name: 'AWS_ACCESS_KEY_ID',
    summary: 'The key for SQS, with AWS_SECRET_ACCESS_KEY.',
    allowed: 'letters and digits',
    defaultNote: 'as the AWS SDK finds it: a profile, the role of the machine',
    parse: (text) => (/^\w{1,128}$/.test(text) ? text : undefined),
  }),
  awsSecretAccessKey: optional('queue', {
    name: 'AWS_SECRET_ACCESS_KEY',
    summary: 'The secret of AWS_ACCESS_KEY_ID.',
    allowed: KEY,
    defaultNote: 'as the AWS SDK finds it',
    secret: true,
    parse: parseKey,
  }),
  awsSessionToken: optional('queue', {
    name: 'AWS_SESSION_TOKEN',
    summary: 'The token that comes with a temporary AWS key.',
    allowed: KEY,
    defaultNote: 'none',
    secret: true,
    parse: parseKey,
  }),
  objectStorageUrl: future('storage', 'OBJECT_STORAGE_URL', 'A store for large objects.'),
  starterModel: optional('models', {
    name: 'AGENT_FACTORY_MODEL',
    summary: 'The model of the starter agent `guide`.',
    allowed: 'provider/model, for example openai/gpt-5-mini or offline/extractive',
    defaultNote:
      'a model of the first provider with a key (OpenAI, Anthropic, Google), else offline/extractive',
    parse: (text) => (MODEL.test(text) ? text : undefined),
  }),
  openaiApiKey: optional('models', {
    name: 'OPENAI_API_KEY',
    summary: 'The key for models named openai/….',
    allowed: KEY,
    defaultNote: 'openai/… is not configured',
    secret: true,
    parse: parseKey,
  }),
  openaiBaseUrl: optional('models', {
    name: 'OPENAI_BASE_URL',
    summary: 'Another server that speaks OpenAI’s API. It receives OPENAI_API_KEY where that is set.',
    allowed: HTTP_URL,
    defaultNote: 'OpenAI’s own',
    parse: parseHttpUrl,
  }),
  anthropicApiKey: optional('models', {
    name: 'ANTHROPIC_API_KEY',
    summary: 'The key for models named anthropic/….',
    allowed: KEY,
    defaultNote: 'anthropic/… is not configured',
    secret: true,
    parse: parseKey,
  }),
  anthropicBaseUrl: optional('models', {
    name: 'ANTHROPIC_BASE_URL',
    summary: 'Another server that speaks Anthropic’s API. It receives ANTHROPIC_API_KEY where that is set.',
    allowed: HTTP_URL,
    defaultNote: 'Anthropic’s own',
    parse: parseHttpUrl,
  }),
  googleApiKey: optional('models', {
    name: 'GOOGLE_GENERATIVE_AI_API_KEY',
    summary: 'The key for models named google/….',
    allowed: KEY,
    defaultNote: 'google/… is not configured',
    secret: true,
    parse: parseKey,
  }),
  modelProviders: defaulted('models', {
    name: 'MODEL_PROVIDERS',
    summary:
      'More servers that speak OpenAI’s API, as name=address separated by commas; the models are then name/…. The key of a server `lab-1` is read from LAB_1_API_KEY.',
    allowed: 'name=address pairs, for example ollama=http://127.0.0.1:11434/v1',
    default: '',
    defaultNote: 'none',
    parse: parseList(parseNamedUrl),
  }),
  documentFolders: defaulted('tools', {
    name: 'DOCUMENT_FOLDERS',
    summary: 'Folders that the built-in tool search_documents may read, as name=path separated by commas.',
    allowed: 'name=path pairs, for example docs=./docs,handbook=/srv/handbook',
    default: '',
    defaultNote: 'docs=the documentation of the product',
    parse: parseList(parseNamedPath),
  }),
  outboundAllowHosts: defaulted('tools', {
    name: 'OUTBOUND_ALLOW_HOSTS',
    summary:
      'Hosts of the internal network that tools may call all the same, as host:port separated by commas. All other private addresses are refused.',
    allowed: 'host:port entries, for example 127.0.0.1:3000,stock.internal:443',
    default: '',
    defaultNote: 'none',
    parse: parseList(parseHostPort),
  }),
  stripeSecretKey: optional('billing', {
    name: 'STRIPE_SECRET_KEY',
    summary: 'The secret key of a Stripe account that collects. Needs the package stripe.',
    allowed: KEY,
    defaultNote: 'invoices are paid by hand',
    secret: true,
    parse: parseKey,
  }),
  stripeWebhookSecret: optional('billing', {
    name: 'STRIPE_WEBHOOK_SECRET',
    summary: 'The secret with which Stripe signs its events to /api/v1/billing/stripe/events.',
    allowed: KEY,
    defaultNote: 'no events are taken',
    secret: true,
    parse: parseKey,
  }),
  stripeApiUrl: optional('billing', {
    name: 'STRIPE_API_URL',
    summary: 'Another server that behaves like Stripe’s, for tests.',
    allowed: HTTP_URL,
    defaultNote: 'Stripe’s own',
    parse: parseHttpUrl,
  }),
  logLevel: defaulted('operations', {
    name: 'LOG_LEVEL',
    summary: 'The least important log lines that are written.',
    allowed: 'trace, debug, info, warn, error, fatal, silent',
    default: 'info',
    parse: parseOneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  }),
  logFormat: defaulted('operations', {
    name: 'LOG_FORMAT',
    summary: 'How log lines look: short for people, or one JSON object a line for machines.',
    allowed: 'pretty, json',
    default: { LOCAL_DEV: 'pretty', DOCKER_MONOLITH: 'json', KUBERNETES: 'json' },
    parse: parseOneOf('pretty', 'json'),
  }),
  otlpEndpoint: optional('operations', {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    summary: 'An OpenTelemetry collector (OTLP over HTTP); traces are sent to /v1/traces below it.',
    allowed: HTTP_URL,
    defaultNote: 'no traces are made',
    parse: parseHttpUrl,
  }),
  otlpHeaders: optional('operations', {
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    summary: 'Headers for the collector, for example its key.',
    allowed: 'name=value pairs separated by commas, values percent-encoded',
    defaultNote: 'none',
    secret: true,
    parse: parseHeaders,
  }),
  apiUrl: optional('client', {
    name: 'AGENT_FACTORY_URL',
    summary: 'The server that the command line and the examples talk to.',
    allowed: HTTP_URL,
    defaultNote: 'the one in credentials.json, else http://127.0.0.1:8787',
    parse: parseHttpUrl,
  }),
  apiKey: optional('client', {
    name: 'AGENT_FACTORY_API_KEY',
    summary: 'The API key that the command line and the examples show.',
    allowed: KEY,
    defaultNote: 'the one in credentials.json',
    secret: true,
    parse: parseKey,
  }),
  debug: defaulted('client', {
    name: 'AGENT_FACTORY_DEBUG',
    summary: 'With 1 the command line shows where an unexpected failure came from.',
    allowed: '0, 1',
    default: '0',
    parse: parseOneOf('0', '1'),
  }),
} as const

export const SETTING_ROWS: readonly Setting[] = Object.values(SETTINGS)

type Row<S> = Omit<S, 'group' | 'secret'> & { readonly secret?: boolean }

function defaulted<T>(group: SettingGroup, row: Row<DefaultedSetting<T>>): DefaultedSetting<T> {
  return { secret: false, ...row, group }
}

function optional<T>(group: SettingGroup, row: Row<OptionalSetting<T>>): OptionalSetting<T> {
  return { secret: false, ...row, group }
}

function future(group: SettingGroup, name: string, summary: string): FutureSetting {
  // An address of this kind may hold a password.
  return {
    name,
    group,
    summary,
    allowed: 'nothing: this release does not use it yet',
    secret: true,
    future: true,
  }
}
