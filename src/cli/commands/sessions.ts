// `session`: conversations with an agent.

import type { Command } from 'commander'
import {
  type Session as Conversation,
  session as sessionSchema,
  sessionTurn,
} from '../../contract/session.ts'
import type { Act } from '../act.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { showDetails } from '../output/details.ts'
import { fullTime, listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import { addListOptions } from './list-options.ts'

export function addSessionCommands(program: Command, act: Act): void {
  const group = program.command('session').description('Begin and read conversations')
  group
    .command('create')
    .description('Begin a conversation with an agent; "agent run --session" goes on with it')
    .argument('<agent>', 'id or name')
    .action(
      act(async (session, agent: string) => {
        const made = await (await session.client()).createSession(agent)
        answer(session, sessionSchema, made, () => showConversation(session, made))
      }),
    )
  group
    .command('get')
    .description('Show a conversation')
    .argument('<session>', 'the id of the session')
    .action(
      act(async (session, id: string) => {
        const found = await (await session.client()).getSession(id)
        answer(session, sessionSchema, found, () => showConversation(session, found))
      }),
    )
  addListOptions(group.command('turns').description('List what was asked and answered, in order'))
    .argument('<session>', 'the id of the session')
    .action(
      act(async (session, id: string, options: ListOptions) => {
        const client = await session.client()
        await answerList(session, sessionTurn, options, (page) => client.listSessionTurns(id, page), [
          { title: 'TURN', value: ({ seq }) => String(seq), align: 'right' },
          { title: 'RUN', value: ({ runId }) => runId, keep: true },
          {
            title: 'TIME',
            value: ({ createdAt }) => listTime(session.out, createdAt, session.now()),
            optional: true,
          },
          { title: 'ASKED', value: ({ input }) => input },
          { title: 'ANSWERED', value: ({ output }) => output },
        ])
      }),
    )
}

function showConversation(session: Session, found: Conversation): void {
  const now = session.now()
  showDetails(session.out, [
    ['id', found.id],
    ['agent', found.agentId],
    ['turns', String(found.turnCount)],
    ['run now', found.activeRunId ?? undefined],
    ['created', fullTime(found.createdAt, now)],
    ['updated', fullTime(found.updatedAt, now)],
  ])
}
