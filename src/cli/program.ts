// The tree of commands. Help, shell completion and docs/cli.md are made from it.

import { Command, Option } from 'commander'
import { PACKAGE_VERSION } from '../app/package-version.ts'
import { type Act, createAct } from './act.ts'
import { addAgentCommands } from './commands/agents.ts'
import { addApprovalCommands } from './commands/approvals.ts'
import { addAuthCommands } from './commands/auth.ts'
import { addBudgetCommands } from './commands/budgets.ts'
import { addCompletionCommand } from './commands/completion.ts'
import { addCostCommands } from './commands/costs.ts'
import { addDbCommands } from './commands/db.ts'
import { addDevCommand } from './commands/dev.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addEnqueueRunCommand } from './commands/enqueue-run.ts'
import { addInitCommand } from './commands/init.ts'
import { addInvoiceCommands } from './commands/invoices.ts'
import { addJobCommands } from './commands/jobs.ts'
import { addPlanCommands } from './commands/plans.ts'
import { addPricesCommands } from './commands/prices.ts'
import { addProjectCommands } from './commands/projects.ts'
import { addRunCommands } from './commands/runs.ts'
import { addScheduleCommands } from './commands/schedules.ts'
import { addServeCommand } from './commands/serve.ts'
import { addSessionCommands } from './commands/sessions.ts'
import { addStripeCommands } from './commands/stripe.ts'
import { addAuditCommands, addTenantCommands } from './commands/tenants.ts'
import { addToolCommands } from './commands/tools.ts'
import { addEventCommands, addTriggerCommands } from './commands/triggers.ts'
import { addWorkerCommands } from './commands/worker.ts'
import { addWorkflowCommands } from './commands/workflows.ts'
import { oneLine } from './output/escape.ts'
import type { World } from './world.ts'

export const GLOBAL_OPTIONS = 'Options of every command:'

const GROUPS: readonly (readonly [string, readonly ((program: Command, act: Act) => void)[]])[] = [
  [
    'Start:',
    [addInitCommand, addDevCommand, addServeCommand, addWorkerCommands, addDoctorCommand, addDbCommands],
  ],
  [
    'Define and run:',
    [
      addAgentCommands,
      addToolCommands,
      addWorkflowCommands,
      addScheduleCommands,
      addTriggerCommands,
      addEventCommands,
    ],
  ],
  [
    'Look and answer:',
    [addEnqueueRunCommand, addRunCommands, addApprovalCommands, addSessionCommands, addJobCommands],
  ],
  [
    'Money:',
    [
      addCostCommands,
      addPricesCommands,
      addBudgetCommands,
      addPlanCommands,
      addInvoiceCommands,
      addStripeCommands,
    ],
  ],
  ['Access:', [addAuthCommands, addTenantCommands, addProjectCommands, addAuditCommands]],
  ['Shell:', [addCompletionCommand]],
]

/** All commands, bound to a world. Parsing wrong arguments throws commander's error after one line on standard error. */
export function createProgram(world: World): Command {
  const program = new Command('agent-factory')
    .description('Runs AI agents as a product: durable runs, and what each one cost.')
    .version(PACKAGE_VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
      getOutHelpWidth: () => world.stdout.columns || HELP_WIDTH,
      getErrHelpWidth: () => world.stderr.columns || HELP_WIDTH,
      outputError: (text, write) => write(usageLine(text)),
    })
  const act = createAct(world)
  for (const [title, adders] of GROUPS) {
    program.commandsGroup(title)
    for (const add of adders) add(program, act)
  }
  for (const command of [program, ...leavesOf(program)]) addGlobalOptions(command)
  return program
}

const HELP_WIDTH = 100

/** The commands that do something, in order. */
export function leavesOf(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => (child.commands.length > 0 ? leavesOf(child) : [child]))
}

function addGlobalOptions(command: Command): void {
  const options = [
    new Option('--json', "print the API's own JSON"),
    new Option('--ndjson', 'print lists as a line of JSON for each item'),
    new Option('--api-url <url>', 'the server (or AGENT_FACTORY_URL)'),
    new Option('--api-key <key>', 'the API key (or AGENT_FACTORY_API_KEY)'),
    new Option('--local', 'without a server: use the database of this folder, in this process'),
    new Option('--no-color', 'no colours (or NO_COLOR)'),
  ]
  for (const option of options) command.addOption(option.helpGroup(GLOBAL_OPTIONS))
}

/** Commander's message in one line: `agent-factory: unknown command 'agnt'. Did you mean agent?` */
function usageLine(text: string): string {
  const line = oneLine(text.replace(/^error: /, ''))
  const [, what = line, suggestion] = /^(.*?)\s*\((Did you mean .*\?)\)$/.exec(line) ?? []
  const end = what.endsWith('.') ? what : `${what}.`
  return `agent-factory: ${end} ${suggestion ?? 'See "agent-factory --help".'}\n`
}
