// `db`: the tables of the database and their migrations. Works on the database itself, without a server.

import type { Command } from 'commander'
import { readSettings } from '../../app/settings.ts'
import type { Database } from '../../storage/database.ts'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { whole } from '../input/option-values.ts'
import { writeJson } from '../output/answers.ts'
import { type Column, tableLines } from '../output/table.ts'
import type { Session } from '../session.ts'

interface MigrationRow {
  readonly version: number
  readonly name: string
  readonly applied_at: string | null
  readonly program: string | null
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
    .action(act(async (session, options: { to?: number }) => migrateDatabase(session, options)))
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

async function migrateDatabase(session: Session, options: { readonly to?: number }): Promise<void> {
  const { migrate } = await import('../../storage/migrations/migrate.ts')
  await using db = await open(session)
  const done = await migrate(db, options)
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
