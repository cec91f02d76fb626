// The settings: the one file that reads the environment. Owns what the variables mean together; connects to nothing.
// Never passes the environment on: parts receive values. Called by start, serve, doctor and the command line.

import { join, resolve } from 'node:path'
import { AppError } from '../base/errors.ts'
import { type Environment, withEnvFile } from './settings/environment.ts'
import { type AwsSetting, engineProblem, type JobQueueSetting, jobQueueOf } from './settings/job-queue.ts'
import { type DatabaseSetting, parseKey } from './settings/parse-text.ts'
import { FUTURE_PROFILE_NAMES, PROFILES, type Profile } from './settings/profile.ts'
import { type Secret, secret } from './settings/secret.ts'
import { createSettingReader, type SettingReader, textOf } from './settings/setting-reader.ts'
import { SETTINGS } from './settings/setting-table.ts'

export interface Settings {
  readonly profile: Profile
  readonly server: {
    readonly host: string
    readonly port: number
    readonly corsOrigins: readonly string[]
    readonly shutdownTimeoutMs: number
  }
  readonly workerConcurrency: number
  /** The kinds of jobs that this process takes; none named: all. */
  readonly workerKinds: readonly string[]
  /** How many jobs of a tenant without a number of its own run at once. */
  readonly tenantConcurrency: number | undefined
  readonly jobQueue: JobQueueSetting
  readonly aws: AwsSetting
  /** As it was given; `secretKeyBytes` reads it. */
  readonly secretKey: Secret | undefined
  /** Undefined: invoices are paid by hand. */
  readonly stripe:
    | {
        readonly secretKey: Secret
        readonly webhookSecret: Secret | undefined
        readonly apiUrl: string | undefined
      }
    | undefined
  /** Absolute. */
  readonly dataDir: string
  readonly database: DatabaseSetting
  readonly models: ModelsSetting
  /** Folders that `search_documents` may read, with absolute paths. */
  readonly documentFolders: readonly { readonly name: string; readonly path: string }[]
  readonly outboundAllowHosts: readonly string[]
  readonly log: { readonly level: LogLevel; readonly format: 'pretty' | 'json' }
  readonly tracing:
    | { readonly state: 'off' }
    | { readonly state: 'on'; readonly endpoint: string; readonly headers: Readonly<Record<string, Secret>> }
  /** Everything that must not be seen, for the log to mask. */
  readonly secrets: readonly Secret[]
}

export interface ModelsSetting {
  /** The model of the starter agent. */
  readonly starter: string
  readonly openai: ProviderSetting
  readonly anthropic: ProviderSetting
  readonly google: ProviderSetting
  readonly compatible: readonly {
    readonly name: string
    readonly baseUrl: string
    readonly apiKey: Secret | undefined
  }[]
}

export interface ProviderSetting {
  readonly apiKey: Secret | undefined
  readonly baseUrl: string | undefined
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** What a client of the server needs: the command line, the examples. */
export interface ClientSettings {
  readonly apiUrl: string | undefined
  readonly apiKey: Secret | undefined
  /** Absolute; holds credentials.json. */
  readonly dataDir: string
}

/** The documentation that comes with the product; it is the knowledge of the starter agent. */
const DOCS_FOLDER = join(import.meta.dirname, '..', '..', 'docs')
const DATABASE_FILE = 'agent-factory.db'
const RESERVED_PROVIDERS: ReadonlySet<string> = new Set([
  'openai',
  'anthropic',
  'google',
  'offline',
  'scripted',
])

/** The variables of this process; in LOCAL_DEV those of `.env` in the working folder as well. */
export function processEnvironment(folder: string = process.cwd()): Environment {
  const environment: Environment = { ...process.env }
  const type = textOf(environment, SETTINGS.deploymentType.name) ?? PROFILES.LOCAL_DEV.name
  return type === PROFILES.LOCAL_DEV.name ? withEnvFile(environment, folder) : environment
}

/**
 * The settings that a record of variables means; `folder` is what relative paths are relative to.
 * Throws `settings.invalid` whose message has one line for each wrong variable.
 */
export function readSettings(environment: Environment, folder: string = process.cwd()): Settings {
  const reader = createSettingReader(environment)
  const profile = readProfile(reader, environment)
  const dataDir = resolve(folder, reader.get(SETTINGS.dataDir, profile.name))
  const server = {
    host: reader.get(SETTINGS.host, profile.name),
    port: reader.get(SETTINGS.port, profile.name),
    corsOrigins: reader.get(SETTINGS.corsOrigins, profile.name),
    shutdownTimeoutMs: reader.get(SETTINGS.shutdownTimeoutMs, profile.name),
  }
  const database = readDatabase(reader, profile, dataDir, folder)
  const settings = {
    profile,
    server,
    workerConcurrency: reader.get(SETTINGS.workerConcurrency, profile.name),
    workerKinds: reader.get(SETTINGS.workerKinds, profile.name),
    tenantConcurrency: reader.find(SETTINGS.tenantConcurrency),
    jobQueue: readJobQueue(reader, database),
    aws: readAws(reader),
    secretKey: reader.find(SETTINGS.secretKey),
    stripe: readStripe(reader),
    dataDir,
    database,
    models: readModels(reader, profile, environment),
    documentFolders: readFolders(reader, profile, folder),
    outboundAllowHosts: reader.get(SETTINGS.outboundAllowHosts, profile.name),
    log: {
      level: reader.get(SETTINGS.logLevel, profile.name),
      format: reader.get(SETTINGS.logFormat, profile.name),
    },
    tracing: readTracing(reader),
  }
  reader.refuse(SETTINGS.objectStorageUrl)
  throwProblems(reader)
  return { ...settings, secrets: secretsIn(settings) }
}

/** The settings of a client; everything else in the record is not looked at. Throws `settings.invalid`. */
export function readClientSettings(environment: Environment, folder: string = process.cwd()): ClientSettings {
  const reader = createSettingReader(environment)
  const settings = {
    apiUrl: reader.find(SETTINGS.apiUrl),
    apiKey: reader.find(SETTINGS.apiKey),
    dataDir: resolve(folder, reader.get(SETTINGS.dataDir, PROFILES.LOCAL_DEV.name)),
  }
  throwProblems(reader)
  return settings
}

function readProfile(reader: SettingReader, environment: Environment): Profile {
  const { name } = SETTINGS.deploymentType
  const text = textOf(environment, name)
  if (text === undefined || !FUTURE_PROFILE_NAMES.includes(text)) {
    return reader.get(SETTINGS.deploymentType, PROFILES.LOCAL_DEV.name)
  }
  reader.complain(
    name,
    `${name}=${text} is not in this release; allowed: ${Object.keys(PROFILES).join(', ')}.`,
  )
  return PROFILES.LOCAL_DEV
}

function readDatabase(
  reader: SettingReader,
  profile: Profile,
  dataDir: string,
  folder: string,
): DatabaseSetting {
  const { name, allowed } = SETTINGS.database
  const before = reader.problems.length
  const database = reader.find(SETTINGS.database)
  if (database?.engine === 'sqlite' && database.path !== ':memory:') {
    return { engine: 'sqlite', path: resolve(folder, database.path) }
  }
  if (database !== undefined) return database
  if (profile.needsDatabaseUrl && reader.problems.length === before) {
    reader.complain(
      name,
      `${name} is missing and DEPLOYMENT_TYPE=${profile.name} needs it; allowed: ${allowed}.`,
    )
  }
  return { engine: 'sqlite', path: join(dataDir, DATABASE_FILE) }
}

function readJobQueue(reader: SettingReader, database: DatabaseSetting): JobQueueSetting {
  const queue = jobQueueOf(reader.find(SETTINGS.jobQueueUrl), reader.find(SETTINGS.redisUrl))
  const problem = engineProblem(queue, database)
  if (problem !== undefined) reader.complain(SETTINGS.jobQueueUrl.name, problem)
  return queue
}

function readAws(reader: SettingReader): AwsSetting {
  const region = reader.find(SETTINGS.awsRegion)
  const accessKeyId = reader.find(SETTINGS.awsAccessKeyId)
  const secretAccessKey = reader.find(SETTINGS.awsSecretAccessKey)
  const sessionToken = reader.find(SETTINGS.awsSessionToken)
  if (accessKeyId === undefined || secretAccessKey === undefined) return { region, credentials: undefined }
  return { region, credentials: { accessKeyId, secretAccessKey, sessionToken } }
}

function readModels(reader: SettingReader, profile: Profile, environment: Environment): ModelsSetting {
  const openai = { apiKey: reader.find(SETTINGS.openaiApiKey), baseUrl: reader.find(SETTINGS.openaiBaseUrl) }
  const anthropic = {
    apiKey: reader.find(SETTINGS.anthropicApiKey),
    baseUrl: reader.find(SETTINGS.anthropicBaseUrl),
  }
  const google = { apiKey: reader.find(SETTINGS.googleApiKey), baseUrl: undefined }
  const compatible = reader.get(SETTINGS.modelProviders, profile.name).map(({ name, value }) => {
    if (RESERVED_PROVIDERS.has(name)) {
      reader.complain(
        SETTINGS.modelProviders.name,
        `${SETTINGS.modelProviders.name} names a provider "${name}", which is built in: use another name.`,
      )
    }
    const variable = keyVariable(name)
    const text = textOf(environment, variable)
    const apiKey = text === undefined ? undefined : parseKey(text)
    if (text !== undefined && apiKey === undefined) {
      reader.complain(
        variable,
        `${variable}=(hidden) is not allowed; allowed: ${SETTINGS.openaiApiKey.allowed}.`,
      )
    }
    return { name, baseUrl: value, apiKey }
  })
  const starter = reader.find(SETTINGS.starterModel) ?? starterModel(openai, anthropic, google)
  return { starter, openai, anthropic, google, compatible }
}

/** The variable that holds the key of a named server: `lab-1` has `LAB_1_API_KEY`. */
function keyVariable(provider: string): string {
  return `${provider.toUpperCase().replaceAll('-', '_')}_API_KEY`
}

function starterModel(openai: ProviderSetting, anthropic: ProviderSetting, google: ProviderSetting): string {
  if (openai.apiKey !== undefined || openai.baseUrl !== undefined) return 'openai/gpt-5-mini'
  if (anthropic.apiKey !== undefined) return 'anthropic/claude-haiku-4-5'
  if (google.apiKey !== undefined) return 'google/gemini-2.5-flash'
  return 'offline/extractive'
}

function readFolders(reader: SettingReader, profile: Profile, folder: string): Settings['documentFolders'] {
  const named = reader.get(SETTINGS.documentFolders, profile.name)
  if (named.length === 0) return [{ name: 'docs', path: DOCS_FOLDER }]
  return named.map(({ name, value }) => ({ name, path: resolve(folder, value) }))
}

function readTracing(reader: SettingReader): Settings['tracing'] {
  const endpoint = reader.find(SETTINGS.otlpEndpoint)
  const headers = reader.find(SETTINGS.otlpHeaders) ?? {}
  return endpoint === undefined ? { state: 'off' } : { state: 'on', endpoint, headers }
}

function readStripe(reader: SettingReader): Settings['stripe'] {
  const secretKey = reader.find(SETTINGS.stripeSecretKey)
  const webhookSecret = reader.find(SETTINGS.stripeWebhookSecret)
  const apiUrl = reader.find(SETTINGS.stripeApiUrl)
  return secretKey === undefined ? undefined : { secretKey, webhookSecret, apiUrl }
}

function secretsIn(settings: Omit<Settings, 'secrets'>): readonly Secret[] {
  const { models, database, tracing, jobQueue, aws, secretKey, stripe } = settings
  const keys = [models.openai, models.anthropic, models.google, ...models.compatible].map(
    ({ apiKey }) => apiKey,
  )
  const url = database.engine === 'postgres' ? [database.url, ...passwordsIn(database.url)] : []
  const headers = tracing.state === 'on' ? Object.values(tracing.headers) : []
  const redis = jobQueue.engine === 'bullmq' ? [jobQueue.redisUrl, ...passwordsIn(jobQueue.redisUrl)] : []
  const amazon = [aws.credentials?.secretAccessKey, aws.credentials?.sessionToken]
  const billing = [stripe?.secretKey, stripe?.webhookSecret]
  return [...keys, ...url, ...redis, ...amazon, secretKey, ...billing, ...headers].filter(
    (key) => key !== undefined,
  )
}

/** A driver may tell of the password without its address. */
function passwordsIn(url: Secret): readonly Secret[] {
  const { password = '', searchParams } = URL.parse(url.reveal()) ?? {}
  return [password, decodedText(password), searchParams?.get('password') ?? '']
    .filter((text) => text !== '')
    .map(secret)
}

function decodedText(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

function throwProblems(reader: SettingReader): void {
  if (reader.problems.length === 0) return
  const lines = reader.problems.map(({ message }) => message)
  throw new AppError('settings.invalid', lines.join('\n'), { errors: reader.problems })
}
