// `tenant`: the organisation that a key belongs to, and `audit`: its log of changes and denials.

import type { Command } from 'commander'
import { Option } from 'commander'
import { auditEntry, type Tenant, tenant, type UpdateTenant } from '../../contract/account.ts'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { whole } from '../input/option-values.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { showDetails } from '../output/details.ts'
import { fullTime, listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import { addListOptions } from './list-options.ts'

const CONCURRENT_JOBS_MAX = 100_000
const CAPTURE_POLICIES = tenant.shape.capturePolicy.options

interface UpdateOptions extends Pick<UpdateTenant, 'name' | 'capturePolicy'> {
  readonly maxConcurrentJobs?: number | 'none'
}

export function addTenantCommands(program: Command, act: Act): void {
  const group = program.command('tenant').description('Look at your tenant and change it')
  group
    .command('get')
    .description('Show a tenant')
    .argument('[tenant]', 'its id; your own where none is named')
    .action(
      act(async (session, id: string | undefined) => {
        const client = await session.client()
        const found = await client.getTenant(id ?? (await client.whoami()).tenantId)
        answer(session, tenant, found, () => showTenant(session, found))
      }),
    )
  group
    .command('update')
    .description('Change a tenant')
    .argument('[tenant]', 'its id; your own where none is named')
    .option('--name <name>', 'its name')
    .addOption(
      new Option('--capture-policy <policy>', 'what the prompt log keeps of a run that has ended').choices(
        CAPTURE_POLICIES,
      ),
    )
    .option(
      '--max-concurrent-jobs <number>',
      'how many of its jobs run at once, or "none"; for the operator of the platform',
      concurrentJobs,
    )
    .action(
      act(async (session, id: string | undefined, options: UpdateOptions) => {
        const { name, capturePolicy } = options
        const maxConcurrentJobs = options.maxConcurrentJobs === 'none' ? null : options.maxConcurrentJobs
        if (name === undefined && capturePolicy === undefined && maxConcurrentJobs === undefined)
          throw usage('Say what to change: --name, --capture-policy or --max-concurrent-jobs.')
        const client = await session.client()
        const changed = await client.updateTenant(id ?? (await client.whoami()).tenantId, {
          name,
          capturePolicy,
          maxConcurrentJobs,
        })
        answer(session, tenant, changed, () => showTenant(session, changed))
      }),
    )
}

export function addAuditCommands(program: Command, act: Act): void {
  const group = program.command('audit').description('Read the log of changes and denials')
  addListOptions(group.command('list').description('List changes and denials, newest first')).action(
    act(async (session, options: ListOptions) => {
      const client = await session.client()
      await answerList(session, auditEntry, options, (page) => client.listAudit(page), [
        { title: 'SEQ', value: ({ seq }) => seq, align: 'right' },
        { title: 'TIME', value: ({ occurredAt }) => listTime(session.out, occurredAt, session.now()) },
        { title: 'WHAT', value: ({ type }) => type },
        { title: 'SUBJECT', value: ({ subject }) => subject, keep: true },
        { title: 'BY', value: ({ actor }) => actor, keep: true },
        { title: 'DATA', value: ({ data }) => JSON.stringify(data), optional: true },
      ])
    }),
  )
}

function concurrentJobs(text: string): number | 'none' {
  return text === 'none' ? text : whole(1, CONCURRENT_JOBS_MAX)(text)
}

function showTenant(session: Session, found: Tenant): void {
  showDetails(session.out, [
    ['id', found.id],
    ['name', found.name],
    ['status', found.status],
    ['capture policy', found.capturePolicy],
    ['concurrent jobs', found.maxConcurrentJobs === null ? undefined : `at most ${found.maxConcurrentJobs}`],
    ['created', fullTime(found.createdAt, session.now())],
    ['updated', fullTime(found.updatedAt, session.now())],
  ])
}
