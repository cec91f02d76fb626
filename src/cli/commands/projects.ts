// `project`: what runs, costs and budgets are grouped by.

import type { Command } from 'commander'
import { Option } from 'commander'
import { type Project, project, projectState } from '../../contract/project.ts'
import type { Act } from '../act.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { showDetails } from '../output/details.ts'
import { fullTime, listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import { addListOptions } from './list-options.ts'

export function addProjectCommands(program: Command, act: Act): void {
  const group = program.command('project').description('Group runs, costs and budgets')
  group
    .command('create')
    .description('Create a project; runs name it with --project')
    .argument('<name>', 'a name for it')
    .action(
      act(async (session, name: string) => {
        const made = await (await session.client()).createProject({ name })
        answer(session, project, made, () => showProject(session, made))
      }),
    )
  addListOptions(group.command('list').description('List projects, newest first'))
    .addOption(new Option('--state <state>', 'only those in this state').choices(projectState.options))
    .action(
      act(async (session, options: ListOptions & { readonly state?: Project['state'] }) => {
        const client = await session.client()
        const find = (page: { readonly limit: number; readonly signal: AbortSignal }) =>
          client.listProjects({ ...page, state: options.state })
        await answerList(session, project, options, find, [
          { title: 'ID', value: ({ id }) => id, keep: true },
          { title: 'NAME', value: ({ name }) => name },
          { title: 'STATE', value: ({ state }) => state },
          { title: 'CREATED', value: ({ createdAt }) => listTime(session.out, createdAt, session.now()) },
        ])
      }),
    )
  group
    .command('get')
    .description('Show a project')
    .argument('<project>', 'the id of the project')
    .action(
      act(async (session, id: string) => {
        const found = await (await session.client()).getProject(id)
        answer(session, project, found, () => showProject(session, found))
      }),
    )
  group
    .command('rename')
    .description('Give a project another name')
    .argument('<project>', 'the id of the project')
    .argument('<name>', 'the new name')
    .action(
      act(async (session, id: string, name: string) => {
        const changed = await (await session.client()).updateProject(id, { name })
        answer(session, project, changed, () => showProject(session, changed))
      }),
    )
  for (const [command, state, description] of [
    [
      'archive',
      'archived',
      'Archive a project: it keeps its runs and costs, and no run can be started in it',
    ],
    ['restore', 'active', 'Take up an archived project again'],
  ] as const) {
    group
      .command(command)
      .description(description)
      .argument('<project>', 'the id of the project')
      .action(
        act(async (session, id: string) => {
          const changed = await (await session.client()).updateProject(id, { state })
          answer(session, project, changed, () => showProject(session, changed))
        }),
      )
  }
}

function showProject(session: Session, found: Project): void {
  const now = session.now()
  showDetails(session.out, [
    ['id', found.id],
    ['name', found.name],
    ['state', found.state],
    ['by', found.createdBy],
    ['created', fullTime(found.createdAt, now)],
    ['updated', fullTime(found.updatedAt, now)],
  ])
}
