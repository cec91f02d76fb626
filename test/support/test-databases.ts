// Which databases the tests run on. `npm test` runs on both; `npm run check` on SQLite only.

/** The databases that TEST_DATABASES names (a comma between them), or both. */
export function testDatabases(): readonly TestDatabase[] {
  const names = (process.env.TEST_DATABASES ?? ALL.join(',')).split(',')
  return names.map((name) => {
    const known = ALL.find((candidate) => candidate === name.trim())
    if (known === undefined)
      throw new Error(`TEST_DATABASES names "${name}"; known are ${ALL.join(' and ')}.`)
    return known
  })
}

export type TestDatabase = (typeof ALL)[number]

const ALL = ['sqlite', 'postgres'] as const
