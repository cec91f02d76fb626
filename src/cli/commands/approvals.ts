// `approval`: what runs ask people, the answers to it, and links to answer by.

import type { Command } from 'commander'
import { Option } from 'commander'
import {
  type Approval,
  type ApprovalDetail,
  approvalDetail,
  approvalLink,
  approval as approvalSchema,
  approvalState,
} from '../../contract/approval-resource.ts'
import type { Act } from '../act.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { showBlock, showDetails } from '../output/details.ts'
import { fullTime, listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import { addListOptions } from './list-options.ts'

interface ApprovalListOptions extends ListOptions {
  readonly state?: Approval['state']
  readonly run?: string
}

interface AnswerOptions {
  readonly reason?: string
  readonly argumentsHash?: string
}

export function addApprovalCommands(program: Command, act: Act): void {
  const group = program.command('approval').description('Look at what runs ask people, and answer')
  addListOptions(group.command('list').description('List what people were asked, newest first'))
    .addOption(new Option('--state <state>', 'only approvals in this state').choices(approvalState.options))
    .option('--run <run>', 'only approvals of this run')
    .action(
      act(async (session, options: ApprovalListOptions) => {
        const client = await session.client()
        const { state, run } = options
        await answerList(
          session,
          approvalSchema,
          options,
          (page) => client.listApprovals({ ...page, state, run }),
          columns(session),
        )
      }),
    )
  group
    .command('get')
    .description('Show an approval with its votes')
    .argument('<approval>', 'the id of the approval')
    .action(
      act(async (session, id: string) => {
        const found = await (await session.client()).getApproval(id)
        answer(session, approvalDetail, found, () => showApproval(session, found))
      }),
    )
  addAnswerCommand(group, act, 'approve', 'Approve: the run goes on once enough people have')
  addAnswerCommand(group, act, 'decline', 'Decline: the run is told so')
  group
    .command('link')
    .description('Make a link by which one user answers once, without a key; it is shown this once')
    .argument('<approval>', 'the id of the approval')
    .option('--user <user>', 'in whose name it answers (default: yours)')
    .option('--expires-in <duration>', 'how long it is good, at most 7d (default: 24h)')
    .action(
      act(async (session, id: string, options: { user?: string; expiresIn?: string }) => {
        const { user: userId, expiresIn } = options
        const link = await (await session.client()).createApprovalLink(id, { userId, expiresIn })
        answer(session, approvalLink, link, (out) => {
          out.line(link.url)
          session.note(
            `Good until ${fullTime(link.expiresAt, session.now())}, for one answer in the name of ${link.userId}.`,
          )
        })
      }),
    )
}

function addAnswerCommand(group: Command, act: Act, outcome: 'approve' | 'decline', said: string): void {
  group
    .command(outcome)
    .description(said)
    .argument('<approval>', 'the id of the approval')
    .option('--reason <text>', 'why; it stays on record')
    .option('--arguments-hash <hash>', 'refuse where the arguments are others than those with this hash')
    .action(
      act(async (session, id: string, { reason, argumentsHash }: AnswerOptions) => {
        const decision = { outcome, reason, argumentsHash }
        const found = await (await session.client()).decideApproval(id, decision)
        answer(session, approvalDetail, found, () => showApproval(session, found))
      }),
    )
}

function columns(session: Session) {
  return [
    { title: 'ID', value: ({ id }: Approval) => id, keep: true as const },
    { title: 'STATE', value: ({ state }: Approval) => state },
    { title: 'KIND', value: ({ kind }: Approval) => kind, optional: true as const },
    { title: 'SUBJECT', value: ({ subject }: Approval) => subject },
    { title: 'RUN', value: ({ runId }: Approval) => runId, keep: true as const },
    { title: 'ASKED', value: ({ createdAt }: Approval) => listTime(session.out, createdAt, session.now()) },
    { title: 'FOR', value: ({ role }: Approval) => role ?? '', optional: true as const },
    {
      title: 'ARGUMENTS',
      value: (item: Approval) => (item.arguments === undefined ? '' : JSON.stringify(item.arguments)),
      optional: true as const,
    },
  ]
}

function showApproval(session: Session, found: ApprovalDetail): void {
  const { out } = session
  const now = session.now()
  const approving = found.votes.filter(({ outcome }) => outcome === 'approve').length
  const time = (at: string | null) => (at === null ? undefined : fullTime(at, now))
  showDetails(out, [
    ['id', found.id],
    ['state', found.state],
    [found.kind, found.subject],
    ['run', found.runId],
    ['step', String(found.step)],
    ['asked by', found.requestedBy],
    ['asked', time(found.createdAt)],
    ['may answer', found.role === null ? undefined : `${found.role} or above`],
    ['not', found.excludeRequester ? 'who started the run' : undefined],
    ['approvals', `${approving} of ${found.quorum}`],
    ['time over', time(found.expiresAt)],
    ['then', found.defaultOutcome ?? undefined],
    [
      'then asks',
      found.escalateRole === null ? undefined : `${found.escalateRole} at ${time(found.escalateAt)}`,
    ],
    ['decided', time(found.decidedAt)],
    ['by', found.decidedBy ?? undefined],
    ['reason', found.reason ?? undefined],
    ['arguments hash', found.argumentsHash],
  ])
  if (found.arguments !== undefined)
    showBlock(out, 'arguments', JSON.stringify(found.arguments, undefined, 2))
  if (found.votes.length > 0) showBlock(out, 'votes', found.votes.map(voteLine).join('\n'))
}

function voteLine({ outcome, userId, createdAt, reason }: ApprovalDetail['votes'][number]): string {
  return `${outcome} by ${userId} at ${createdAt}${reason === null ? '' : `: ${reason}`}`
}
