// `costs`: what things cost, told costs, estimates, reports, re-rating, and where money could be saved.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { Argument, Option } from 'commander'
import { codecOf } from '../../contract/codec.ts'
import {
  COST_ENTITIES,
  COST_GROUPS,
  type CostEntity,
  type CostGroup,
  type CostInput,
  costEstimate,
  costHints,
  costReport,
  entityCosts,
  recordedCosts,
  rerateDetail,
} from '../../contract/cost.ts'
import { COST_TYPES } from '../../contract/money.ts'
import type { Act } from '../act.ts'
import { CliFailure, usage } from '../cli-failure.ts'
import { moment, usd, whole } from '../input/option-values.ts'
import { answer } from '../output/answers.ts'
import { counted } from '../output/cost-text.ts'
import { tableLines } from '../output/table.ts'
import { HINT_COLUMNS, showCosts, showEstimate, showRerate, sumColumns, sumText } from './cost-view.ts'

interface RangeOptions {
  readonly from?: string
  readonly to?: string
}
interface ShowOptions extends RangeOptions {
  readonly groupBy?: CostGroup
  readonly timezone?: string
}
interface AddOptions {
  readonly quantity?: number
  readonly unit?: string
  readonly description?: string
  readonly externalId?: string
  readonly run?: string
  readonly agent?: string
  readonly workflow?: string
  readonly user?: string
  readonly project?: string
  readonly at?: string
}

export function addCostCommands(program: Command, act: Act): void {
  const group = program.command('costs').description('What things cost')
  addShow(group, act)
  addAdd(group, act)
  addEstimate(group, act)
  addReport(group, act)
  addRerate(group, act)
  addHints(group, act)
}

function addRange(command: Command): Command {
  return command
    .option('--from <time>', 'from this time on', moment)
    .option('--to <time>', 'before this time', moment)
}

function addShow(group: Command, act: Act): void {
  const command = group
    .command('show', { isDefault: true })
    .description('Show what something cost: this month where no times are given')
    .addArgument(new Argument('[entity]', 'what (default: tenant)').choices([...COST_ENTITIES]))
    .argument('[id]', 'its id, or its name')
  addRange(command)
    .addOption(new Option('--group-by <group>', 'sums by').choices([...COST_GROUPS]))
    .option('--timezone <zone>', 'whose midnights count (default: UTC)')
    .action(
      act(async (session, type: CostEntity | undefined, id: string | undefined, options: ShowOptions) => {
        const client = await session.client()
        if (id === undefined && type !== undefined && type !== 'tenant')
          throw usage(`Say which ${type}: costs show ${type} ID.`)
        const { from, to, groupBy, timezone: timeZone } = options
        const entityId = id ?? (await client.whoami()).tenantId
        const found = await client.getCosts(type ?? 'tenant', entityId, { from, to, groupBy, timeZone })
        answer(session, entityCosts, found, () => showCosts(session, found))
      }),
    )
}

function addAdd(group: Command, act: Act): void {
  group
    .command('add')
    .description('Tell a cost')
    .addArgument(new Argument('<type>', 'of which type').choices([...COST_TYPES]))
    .argument('<usd>', 'how much: 0.50', usd)
    .option('--external-id <id>', 'your own id of it: told again, it counts once')
    .option('--description <text>', 'what it is')
    .option('--quantity <number>', 'how much of a unit', whole(0, Number.MAX_SAFE_INTEGER))
    .option('--unit <unit>', 'of what')
    .option('--run <run>', 'the run that it belongs to')
    .option('--agent <agent>', 'or the agent')
    .option('--workflow <workflow>', 'or the workflow')
    .option('--user <user>', 'and the user')
    .option('--project <project>', 'and the project')
    .option('--at <time>', 'when (default: now)', moment)
    .action(
      act(async (session, type: CostInput['type'], amountUsd: string, options: AddOptions) => {
        const { run: runId, user: userId, at: occurredAt, quantity, unit, description } = options
        const { externalId, agent, workflow, project } = options
        const of = { runId, agent, workflow, userId, project }
        const client = await session.client()
        const what = { quantity, unit, description, externalId, occurredAt }
        const made = await client.recordCosts({ type, amountUsd, ...what, ...of })
        answer(session, recordedCosts, made, (out) => {
          for (const { id, amountUsd: amount } of made.items) out.line(`${id}  $${amount}`)
        })
      }),
    )
}

function addEstimate(group: Command, act: Act): void {
  group
    .command('estimate')
    .description('Estimate what a run of an agent, or a call of a model, may cost')
    .argument('<input>', 'what it is asked')
    .option('--agent <agent>', 'the agent')
    .option('--model <model>', 'or the model: provider/model')
    .option('--max-output-tokens <number>', 'the longest answer', whole(1, 1_000_000))
    .action(
      act(
        async (
          session,
          input: string,
          options: { readonly agent?: string; readonly model?: string; readonly maxOutputTokens?: number },
        ) => {
          if ((options.agent === undefined) === (options.model === undefined))
            throw usage('Give --agent NAME or --model PROVIDER/MODEL.')
          const { agent, model, maxOutputTokens } = options
          const found = await (await session.client()).estimateCost({ input, agent, model, maxOutputTokens })
          answer(session, costEstimate, found, () => showEstimate(session, found))
        },
      ),
    )
}

function addReport(group: Command, act: Act): void {
  group
    .command('report')
    .description('The report of a month')
    .argument('<month>', 'the month: 2026-11')
    .addOption(new Option('--format <format>', 'json, csv or pdf').choices(['json', 'csv', 'pdf']))
    .option('--output <file>', 'write it into this file')
    .option('--timezone <zone>', 'whose midnights count (default: UTC)')
    .action(
      act(
        async (
          session,
          month: string,
          options: {
            readonly format?: 'json' | 'csv' | 'pdf'
            readonly output?: string
            readonly timezone?: string
          },
        ) => {
          const { format = 'json', output, timezone: timeZone } = options
          const client = await session.client()
          const save = async (content: string | Uint8Array): Promise<void> => {
            const path = resolve(session.world.folder, output ?? '')
            await writeFile(path, content).catch((cause: unknown) => {
              throw new CliFailure('failed', `The file ${output} cannot be written: check the path.`, {
                cause,
              })
            })
            session.note(`Written to ${output}.`)
          }
          if (format === 'json') {
            const report = await client.getCostReport(month, { timeZone })
            if (output !== undefined)
              return save(`${JSON.stringify(codecOf(costReport).encode(report), undefined, 2)}\n`)
            return answer(session, costReport, report, (out) => {
              out.line(`${report.month}  ${sumText(report.total)}`)
              const models = tableLines(session.out, sumColumns('MODEL'), report.byModel)
              for (const line of models) out.line(line)
            })
          }
          if (format === 'pdf' && output === undefined) throw usage('A PDF goes into a file: --output FILE.')
          const file = await client.downloadCostReport(month, { format, timeZone })
          if (output !== undefined) return save(file.bytes)
          session.out.write(new TextDecoder().decode(file.bytes))
        },
      ),
    )
}

function addRerate(group: Command, act: Act): void {
  group
    .command('rerate')
    .description('Rate model calls of a time anew, with the prices in force for their time now')
    .requiredOption('--from <time>', 'from this time on', moment)
    .requiredOption('--to <time>', 'before this time', moment)
    .requiredOption('--reason <text>', 'why; it is on record')
    .option('--model <model>', 'only of this model')
    .option('--dry-run', 'show what would change, and change nothing')
    .action(
      act(
        async (
          session,
          options: {
            readonly from: string
            readonly to: string
            readonly reason: string
            readonly model?: string
            readonly dryRun?: true
          },
        ) => {
          const { from, to, reason, model, dryRun } = options
          const done = await (await session.client()).createRerate({ from, to, reason, model, dryRun })
          answer(session, rerateDetail, done, () => showRerate(session, done))
        },
      ),
    )
}

function addHints(group: Command, act: Act): void {
  addRange(group.command('hints').description('Show where money could be saved')).action(
    act(async (session, options: RangeOptions) => {
      const { from, to } = options
      const found = await (await session.client()).listHints({ from, to })
      answer(session, costHints, found, (out) => {
        if (found.items.length === 0) return session.note('There are none.')
        for (const line of tableLines(session.out, HINT_COLUMNS, found.items)) out.line(line)
        session.note(`${counted(found.items.length, 'hint')}; --json has what each stands on.`)
      })
    }),
  )
}
