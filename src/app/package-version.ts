// The version of this package, from its package.json: the same beside src/ and beside dist/.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string
}

export const PACKAGE_VERSION: string = version
