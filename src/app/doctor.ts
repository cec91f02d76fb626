// The doctor: what this machine and these settings would make of a start. It reads and tries; it changes nothing.
// Never throws for what it finds. Called by the command `doctor`, which prints what it answers.

import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { isAppError } from '../base/errors.ts'
import { createModelRegistry } from '../models/registry.ts'
import { FREE_BYTES_MIN, freeBytesOf } from '../operations/health-checks.ts'
import { migrationStatus } from '../storage/migrations/migrate.ts'
import { openDatabase } from '../storage/open.ts'
import { databaseUrl } from './database-url.ts'
import { type Diagnosis, type DoctorCheck, failed, ok, warning } from './diagnosis.ts'
import { registrySettings } from './model-registry-settings.ts'
import { PACKAGE_VERSION } from './package-version.ts'
import type { Environment } from './settings/environment.ts'
import { PROFILES } from './settings/profile.ts'
import { settingsInForce, unknownSettings } from './settings/settings-in-force.ts'
import { readSettings, type Settings } from './settings.ts'

const NODE_MAJOR_MIN = 24
/** The product did not exist before; a clock that says so would make ids and times that are wrong. */
const EARLIEST_MS = Date.UTC(2026, 0, 1)
const PROBE_MS_MAX = 1_000
const MIB = 1_048_576

/** Looks at everything; `environment` is a record of variables as `processEnvironment` answers it. */
export async function diagnose(environment: Environment, folder: string = process.cwd()): Promise<Diagnosis> {
  const read = tryRead(environment, folder)
  const general = [nodeCheck(process.versions.node), clockCheck(Date.now()), ...unknownChecks(environment)]
  const profile = 'settings' in read ? read.settings.profile : PROFILES.LOCAL_DEV
  const checks =
    'settings' in read
      ? [...general, ok('settings', 'all values are allowed'), ...(await partChecks(read.settings))]
      : [...general, ...read.problems]
  return {
    ok: checks.every(({ status }) => status !== 'failed'),
    version: PACKAGE_VERSION,
    settings: settingsInForce(environment, profile.name),
    checks,
  }
}

/** The settings, or a check for each that is wrong. */
export function tryRead(
  environment: Environment,
  folder: string,
): { readonly settings: Settings } | { readonly problems: readonly DoctorCheck[] } {
  try {
    return { settings: readSettings(environment, folder) }
  } catch (error) {
    if (!isAppError(error, 'settings.invalid')) throw error
    return { problems: error.errors.map(({ message }) => failed('settings', message)) }
  }
}

async function partChecks(settings: Settings): Promise<readonly DoctorCheck[]> {
  return [
    await dataDirCheck(settings.dataDir),
    ...(await databaseChecks(settings)),
    ...modelChecks(settings),
    ...(await Promise.all(settings.documentFolders.map(folderCheck))),
    await portCheck(settings.server.host, settings.server.port),
  ]
}

function nodeCheck(version: string): DoctorCheck {
  const fine = Number.parseInt(version, 10) >= NODE_MAJOR_MIN
  return fine
    ? ok('node', `Node ${version}`)
    : failed('node', `Node ${version} is too old: install ${NODE_MAJOR_MIN} or newer.`)
}

function clockCheck(now: number): DoctorCheck {
  const text = new Date(now).toISOString()
  return now >= EARLIEST_MS ? ok('clock', text) : failed('clock', `The clock says ${text}: set it.`)
}

function unknownChecks(environment: Environment): readonly DoctorCheck[] {
  return unknownSettings(environment).map((name) =>
    warning('settings', `${name} is set, but there is no such setting: check its name.`),
  )
}

async function dataDirCheck(folder: string): Promise<DoctorCheck> {
  const existing = await nearestExisting(folder)
  try {
    await access(existing, constants.W_OK)
    const free = await freeBytesOf(existing)
    if (free < FREE_BYTES_MIN)
      return failed('data folder', `${folder}: ${Math.floor(free / MIB)} MiB are free; make room.`)
    return ok('data folder', existing === folder ? folder : `${folder} (made at the first start)`)
  } catch {
    return failed(
      'data folder',
      `${folder} cannot be written: change its rights, or set AGENT_FACTORY_DATA_DIR.`,
    )
  }
}

async function nearestExisting(folder: string): Promise<string> {
  const exists = await stat(folder).then(
    () => true,
    () => false,
  )
  return exists || dirname(folder) === folder ? folder : nearestExisting(dirname(folder))
}

/** Whether the database answers, and whether its tables are those of this version. */
export async function databaseChecks({ database, profile }: Settings): Promise<readonly DoctorCheck[]> {
  if (database.engine === 'sqlite' && database.path !== ':memory:') {
    // Opening would make the file.
    const there = await stat(database.path).catch(() => undefined)
    if (there === undefined) return [ok('database', `${database.path} (made at the first start)`)]
  }
  try {
    await using db = await openDatabase(databaseUrl(database))
    await db.ping()
    const where = database.engine === 'sqlite' ? database.path : 'Postgres answers'
    const pending = (await migrationStatus(db)).filter(({ applied }) => applied === undefined)
    return [ok('database', where), schemaCheck(pending.length, profile.migratesAtStart)]
  } catch (error) {
    const reason = isAppError(error)
      ? error.message
      : 'It does not answer: check DATABASE_URL and that the server runs.'
    return [failed('database', reason)]
  }
}

function schemaCheck(pending: number, migratesAtStart: boolean): DoctorCheck {
  if (pending === 0) return ok('schema', 'current')
  const text = pending === 1 ? 'one migration is missing' : `${pending} migrations are missing`
  if (migratesAtStart) return ok('schema', `${text} (applied at the next start)`)
  return failed('schema', `${text}: run "agent-factory db migrate".`)
}

function modelChecks(settings: Settings): readonly DoctorCheck[] {
  const providers = createModelRegistry(registrySettings(settings.models)).list()
  const starter = providers.find(({ name }) => settings.models.starter.startsWith(`${name}/`))
  const missing =
    starter === undefined
      ? [failed('models', `AGENT_FACTORY_MODEL names no provider that there is: ${settings.models.starter}.`)]
      : starter.configured
        ? []
        : [
            failed(
              'models',
              `The starter's model ${settings.models.starter} needs ${starter.needs ?? 'a setting'}.`,
            ),
          ]
  const usable = providers.filter(({ configured }) => configured).map(({ name }) => name)
  const others = providers
    .filter(({ configured }) => !configured)
    .map(({ name, needs }) => `${name} needs ${needs ?? 'a setting'}`)
  const text = [`usable: ${usable.join(', ')}`, ...others].join('; ')
  const onlyOffline = usable.every((name) => name === 'offline')
  return [
    ...missing,
    onlyOffline
      ? warning('models', `${text}. Without a key, agents answer by quoting tools.`)
      : ok('models', text),
  ]
}

async function folderCheck({
  name,
  path,
}: {
  readonly name: string
  readonly path: string
}): Promise<DoctorCheck> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() === true) return ok('documents', `${name}: ${path}`)
  return failed('documents', `The folder ${path} (${name}) is not there: correct DOCUMENT_FOLDERS.`)
}

async function portCheck(host: string, port: number): Promise<DoctorCheck> {
  if (port === 0) return ok('port', 'a free one is taken')
  const refusal = await tryListen(host, port)
  if (refusal === undefined) return ok('port', `${host}:${port} is free`)
  if (refusal !== 'EADDRINUSE')
    return failed('port', `${host}:${port} cannot be opened (${refusal}): change HOST or PORT.`)
  if (await isOurs(host, port)) return ok('port', `${host}:${port} is in use by a running Agent Factory`)
  return failed('port', `${host}:${port} is in use by another program: stop it, or set PORT.`)
}

function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown reason'))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}

async function isOurs(host: string, port: number): Promise<boolean> {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  try {
    const answer = await fetch(`http://${name.includes(':') ? `[${name}]` : name}:${port}/readyz`, {
      signal: AbortSignal.timeout(PROBE_MS_MAX),
    })
    const body: unknown = await answer.json()
    return typeof body === 'object' && body !== null && 'ready' in body
  } catch {
    return false
  }
}
