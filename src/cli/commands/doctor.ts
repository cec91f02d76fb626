// `doctor`: the settings in force, and whether a start would work. Changes nothing.

import type { Command } from 'commander'
import type { Act } from '../act.ts'
import { CliFailure } from '../cli-failure.ts'
import { writeJson } from '../output/answers.ts'
import type { Style } from '../output/channel.ts'
import { counted } from '../output/cost-text.ts'
import { oneLine, visible } from '../output/escape.ts'
import { tableLines } from '../output/table.ts'
import type { Session } from '../session.ts'

const MARKS: Readonly<Record<'ok' | 'warning' | 'failed', readonly [string, Style]>> = {
  ok: ['✔', 'green'],
  warning: ['!', 'yellow'],
  failed: ['✘', 'red'],
}

export function addDoctorCommand(program: Command, act: Act): void {
  program
    .command('doctor')
    .description('Check the settings, the database, models, folders and the port; nothing is changed')
    .action(
      act(async (session) => {
        const { diagnose } = await import('../../app/doctor.ts')
        const { ok, version, settings, checks } = await diagnose(
          session.world.environment,
          session.world.folder,
        )
        const { out } = session
        if (session.json) {
          writeJson(session, {
            ok,
            version,
            settings: settings.map((row) => ({ ...row })),
            checks: checks.map((row) => ({ ...row })),
          })
        } else {
          const columns = [
            { title: 'SETTING', value: ({ name }: { name: string }) => name, keep: true as const },
            { title: 'VALUE', value: ({ value }: { value: string }) => value },
            { title: 'FROM', value: ({ source }: { source: string }) => source },
          ]
          for (const line of tableLines(out, columns, settings)) out.line(line)
          out.line()
          showChecks(session, checks)
        }
        const failed = checks.filter(({ status }) => status === 'failed').length
        if (!ok)
          throw new CliFailure('failed', `${counted(failed, 'check')} failed: mend what is marked with ✘.`)
      }),
    )
}

/** One line for each check: its mark, its name and what to do. */
export function showChecks(
  { out }: Session,
  checks: readonly {
    readonly name: string
    readonly status: keyof typeof MARKS
    readonly detail: string
  }[],
): void {
  const width = Math.max(...checks.map(({ name }) => name.length))
  for (const { name, status, detail } of checks) {
    const [mark, style] = MARKS[status]
    out.line(`${out.paint(style, mark)} ${name.padEnd(width)}  ${visible(oneLine(detail))}`)
  }
}
