// A record of environment variables, and what a `.env` file adds to it.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

export type Environment = Readonly<Record<string, string | undefined>>

/** The variables with those of `.env` in `folder` added; a variable that is set wins over the file. */
export function withEnvFile(environment: Environment, folder: string): Environment {
  const text = readText(join(folder, '.env'))
  if (text === undefined) return environment
  const merged: Record<string, string | undefined> = { ...parseEnv(text) }
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && value !== '') merged[name] = value
  }
  return merged
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
