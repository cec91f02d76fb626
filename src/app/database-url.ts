// The address of the database, as storage takes it. It may hold a password: it goes to openDatabase and nowhere else.

import type { DatabaseSetting } from './settings/parse-text.ts'

export function databaseUrl(database: DatabaseSetting): string {
  return database.engine === 'sqlite' ? `sqlite:${database.path}` : database.url.reveal()
}
