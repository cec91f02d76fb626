// The version of this package, from its package.json: it lies at the same distance from src/cli and dist/cli.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export function packageVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
