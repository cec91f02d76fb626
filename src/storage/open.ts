// Opens a database by its address. Every engine is behind this door.

import { AppError } from '../base/errors.ts'
import type { Database } from './database.ts'
import { openPostgres, type PostgresOptions } from './postgres/open-postgres.ts'
import { openSqlite, type SqliteOptions } from './sqlite/open-sqlite.ts'

export interface OpenOptions {
  readonly sqlite?: SqliteOptions
  readonly postgres?: PostgresOptions
}

/**
 * Opens `sqlite:<path>`, `sqlite::memory:`, `postgres://…` or `postgresql://…`. It makes no tables: `migrate` does.
 * Throws `settings.invalid` where the address is none of these, or the database cannot be opened.
 */
export async function openDatabase(url: string, options: OpenOptions = {}): Promise<Database> {
  const [, scheme, rest = ''] = /^([a-z]+):(.*)$/.exec(url) ?? []
  if (scheme === 'sqlite' && rest !== '') return openSqlite(rest, options.sqlite)
  if ((scheme === 'postgres' || scheme === 'postgresql') && rest.startsWith('//'))
    return openPostgres(url, options.postgres)
  throw new AppError(
    'settings.invalid',
    'The address of the database is one of sqlite:<path>, sqlite::memory:, postgres://<user>:<password>@<host>/<database>.',
  )
}
