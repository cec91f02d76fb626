import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { settingsPage } from './settings-page.ts'

it('docs/settings.md is what the table of settings says', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/settings.md'), 'utf8')
  assert.equal(page, settingsPage(), 'run: node src/app/settings/settings-page.ts > docs/settings.md')
})
