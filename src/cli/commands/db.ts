// `db`: the tables of the database and their migrations. Works on the database itself, without a server.

import type { Command } from 'commander'
import { readSettings } from '../../app/settings.ts'
import type { Database } from '../../storage/database.ts'
import type { Act } from '../act.ts'
import { CliFailure, usage } from '../cli-failure.ts'
import { whole } from '../input/option-values.ts'
import { writeJson } from '../output/answers.ts'
import { showDetails } from '../output/details.ts'
import { type Column, tableLines } from '../output/table.ts'
import type { Session } from '../session.ts'

interface MigrationRow {
  readonly version: number
  readonly name: string
  readonly applied_at: string | null
  readonly program: string | null
}

interface BootstrapOptions {
  readonly tenant: string
  readonly admin: string
}

const VERSION_MAX = 9_999
const version = whole(0, VERSION_MAX)

export function addDbCommands(program: Command, act: Act): void {
  const group = program.command('db').description('Look at the tables of the database, and migrate them')
  group
    .command('status')
    .description('Show every migration of this program, and which the database has had')
    .action(act(status))
  group
    .command('migrate')
    .description('Apply the migrations that are missing')
    .option('--to <number>', 'stop at this migration', version)
    .action(act(async (session, options: { to?: number }) => migrateDatabase(session, options.to)))
  group
    .command('rollback')
    .description('Take back the newest migrations; their data is lost')
    .option('--steps <number>', 'how many (default: 1)', whole(1, VERSION_MAX))
    .option('--yes', 'say that the data may be lost')
    .action(act(async (session, options: { steps?: number; yes?: true }) => rollBack(session, options)))
  group
    .command('history')
    .description('Show what was applied to the database, by which version of the program')
    .action(act(history))
  group
    .command('bootstrap')
    .description(
      'Make the first tenant, its admin and a key in a database that has none; the key is shown this once',
    )
    .option('--tenant <name>', 'the name of the tenant', 'Default')
    .option('--admin <name>', 'the name of the admin', 'Administrator')
    .action(act(async (session, options: BootstrapOptions) => bootstrap(session, options)))
  group
    .command('generate')
    .description('Write the next migration of this program from its declared schema (for contributors)')
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .action(act(async (session, name: string) => generate(session, name)))
}

async function status(session: Session): Promise<void> {
  const { migrationStatus } = await import('../../storage/migrations/migrate.ts')
  await using db = await open(session)
  const rows = (await migrationStatus(db)).map(({ version: number, name, applied }) => ({
    version: number,
    name,
    applied_at: applied === undefined ? null : new Date(applied.appliedAt).toISOString(),
    program: applied?.program ?? null,
  }))
  show(session, rows)
  const missing = rows.filter(({ applied_at }) => applied_at === null).length
  if (missing > 0) session.note(`${missing} to apply: "agent-factory db migrate".`)
}

async function history(session: Session): Promise<void> {
  const { migrationHistory } = await import('../../storage/migrations/migrate.ts')
  await using db = await open(session)
  const rows = (await migrationHistory(db)).map(({ version: number, name, appliedAt, program }) => ({
    version: number,
    name,
    applied_at: new Date(appliedAt).toISOString(),
    program,
  }))
  show(session, rows)
  if (rows.length === 0) session.note('Nothing was applied yet: "agent-factory db migrate".')
}

async function migrateDatabase(session: Session, to: number | undefined): Promise<void> {
  const { migrate } = await import('../../storage/migrations/migrate.ts')
  await using db = await open(session)
  const done = await migrate(db, to === undefined ? {} : { to })
  tell(session, done, 'applied', 'The database is up to date.')
}

async function rollBack(
  session: Session,
  { steps, yes }: { readonly steps?: number; readonly yes?: true },
): Promise<void> {
  if (!yes) throw usage('A rollback loses data: make a backup, then add --yes.')
  const { rollback } = await import('../../storage/migrations/migrate.ts')
  await using db = await open(session)
  const back = await rollback(db, steps === undefined ? {} : { steps })
  tell(session, back, 'taken back', 'There was nothing to take back.')
}

async function bootstrap(session: Session, { tenant, admin }: BootstrapOptions): Promise<void> {
  const { createIdentity } = await import('../../identity/create-identity.ts')
  const { assertCurrentSchema } = await import('../../storage/migrations/migrate.ts')
  const { world } = session
  if (readSettings(world.environment, world.folder).profile.writesCredentials)
    throw usage('In LOCAL_DEV the first start makes the tenant and its key: "agent-factory serve".')
  await using db = await open(session)
  await assertCurrentSchema(db)
  await using identity = createIdentity({ db, clock: Date.now })
  const made = await identity.bootstrap({ tenantName: tenant, adminName: admin })
  if (made === undefined)
    throw new CliFailure(
      'failed',
      'The database has a tenant already: "agent-factory auth create-key" makes keys.',
    )
  if (session.json) writeJson(session, { tenant_id: made.tenantId, user_id: made.userId, key: made.key })
  else {
    showDetails(session.out, [
      ['key', made.key],
      ['tenant', made.tenantId],
      ['user', made.userId],
    ])
    session.note('Keep the key: it is shown this once and stored nowhere.')
  }
}

async function generate(session: Session, name: string): Promise<void> {
  const { generateMigration } = await import('../../storage/migrations/generate-migration.ts')
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))
    throw usage(`"${name}" is no name for a migration: lower-case letters, digits and hyphens.`)
  const files = await generateMigration(name)
  if (session.json) {
    writeJson(session, files)
    return
  }
  for (const file of files) session.out.line(file)
  if (files.length === 0) session.note('The declared schema has not changed: nothing was written.')
}

async function open({ world }: Session): Promise<Database> {
  const { databaseUrl } = await import('../../app/database-url.ts')
  const { openDatabase } = await import('../../storage/open.ts')
  const { makeDataDir } = await import('../../app/data-dir.ts')
  const settings = readSettings(world.environment, world.folder)
  await makeDataDir(settings.dataDir)
  return openDatabase(databaseUrl(settings.database))
}

function tell(
  session: Session,
  migrations: readonly { readonly version: number; readonly name: string }[],
  what: string,
  otherwise: string,
): void {
  if (session.json) {
    writeJson(
      session,
      migrations.map(({ version: number, name }) => ({ version: number, name })),
    )
    return
  }
  for (const { version: number, name } of migrations) session.out.line(`${what} ${label(number)} ${name}`)
  if (migrations.length === 0) session.note(otherwise)
}

function show(session: Session, rows: readonly MigrationRow[]): void {
  if (session.json) {
    writeJson(
      session,
      rows.map((row) => ({ ...row })),
    )
    return
  }
  if (rows.length === 0) return
  const columns: readonly Column<MigrationRow>[] = [
    { title: 'MIGRATION', value: ({ version: number, name }) => `${label(number)} ${name}` },
    { title: 'APPLIED', value: ({ applied_at }) => applied_at ?? 'no' },
    { title: 'BY', value: ({ program }) => program ?? '' },
  ]
  for (const line of tableLines(session.out, columns, rows)) session.out.line(line)
}

function label(number: number): string {
  return String(number).padStart(4, '0')
}
