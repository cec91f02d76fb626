// docs/settings.md, made from the table of settings. A test says when the page is old; this writes it anew:
//   node src/app/settings/settings-page.ts > docs/settings.md

import type { Setting, SettingGroup } from './setting.ts'
import { SETTING_ROWS } from './setting-table.ts'

const TITLES: Readonly<Record<SettingGroup, string>> = {
  server: 'Server',
  storage: 'Storage',
  queue: 'Jobs and workers',
  models: 'Models',
  tools: 'Tools',
  billing: 'Billing',
  operations: 'Logs and traces',
  client: 'Command line and examples',
}

const INTRODUCTION = `# Settings

All settings are environment variables. They are read once, when the program starts. A wrong value stops the start with one
line that names the variable, its value and what is allowed. An empty variable counts as absent.

In \`LOCAL_DEV\` a file \`.env\` in the working folder is read as well; a variable of the environment wins over the file.
Secrets are never written to a log, an error or an event. \`agent-factory doctor\` shows the settings in force.
`

/** The whole page as Markdown. */
export function settingsPage(): string {
  const groups = Object.entries(TITLES).map(([group, title]) => {
    const rows = SETTING_ROWS.filter((row) => row.group === group && !('future' in row))
    return `\n## ${title}\n${rows.map(section).join('')}`
  })
  const future = SETTING_ROWS.filter((row) => 'future' in row).map(
    ({ name, summary }) => `- \`${name}\`: ${summary}\n`,
  )
  const later = `\n## Not in this release\n\nThe start refuses these variables, so that nobody relies on them:\n\n${future.join('')}`
  return `${INTRODUCTION}${groups.join('')}${later}`
}

function section(row: Setting): string {
  const hidden = row.secret ? ' It is a secret and never shown.' : ''
  return `\n### ${row.name}\n\n${row.summary}${hidden}\n\n- Allowed: ${row.allowed}\n- Default: ${defaultText(row)}\n`
}

function defaultText(row: Setting): string {
  if ('future' in row) return 'absent'
  if (row.defaultNote !== undefined) return row.defaultNote
  if (!('default' in row)) return 'absent'
  if (typeof row.default === 'string') return `\`${row.default}\``
  const values = Object.entries(row.default).map(([profile, text]) => `\`${text}\` in ${profile}`)
  return values.join(', ')
}

if (import.meta.main) process.stdout.write(settingsPage())
