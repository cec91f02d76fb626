// The commands that agents, tools and workflows have alike: create, list, get, update, publish, rollback, diff,
// versions, delete. Here are those that read.

import type { Command } from 'commander'
import type { z } from 'zod'
import { codecOf } from '../../contract/codec.ts'
import { versionDiff } from '../../contract/resource.ts'
import type { Act } from '../act.ts'
import { answer, answerList, type ListOptions, writeJson } from '../output/answers.ts'
import { showBlock, showDetails } from '../output/details.ts'
import { visible } from '../output/escape.ts'
import { fullTime, listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import type { DefinitionKind } from './definition-kinds.ts'
import { detailRows, listColumns, yamlOf } from './definition-text.ts'
import { addDefinitionWrites, version } from './definition-writes.ts'
import { addListOptions } from './list-options.ts'

export function addDefinitionCommands<D extends { readonly name: string }>(
  group: Command,
  act: Act,
  kind: DefinitionKind<D>,
): void {
  const { word, article } = kind
  addDefinitionWrites(group, act, kind)
  const list = group.command('list').description(`List ${word}s, newest first`)
  addListOptions(list)
    .option('--archived', 'archived ones instead of those in use')
    .action(
      act(async (session, options: ListOptions & { readonly archived?: true }) => {
        const client = await session.client()
        const fetch = (page: { limit: number; signal: AbortSignal }) =>
          kind.list(client, { ...page, ...(options.archived && { archived: true }) })
        await answerList(session, kind.resource, options, fetch, listColumns(session, kind.column))
      }),
    )
  group
    .command('get')
    .description(`Show ${article} ${word}: the published version where there is one, else the latest`)
    .argument(`<${word}>`, 'id or name')
    .option('--version <number>', 'another version', version)
    .option('--definition', 'only the definition, as "update" takes it')
    .action(
      act(async (session, id: string, options: { version?: number; definition?: true }) =>
        showOne(session, kind, id, options),
      ),
    )
  const versions = group
    .command('versions')
    .description(`List the versions of ${article} ${word}, newest first`)
  addListOptions(versions.argument(`<${word}>`, 'id or name')).action(
    act(async (session, id: string, options: ListOptions) => {
      const client = await session.client()
      await answerList(session, kind.version, options, (page) => kind.versions(client, id, page), [
        { title: 'VERSION', value: (item) => String(item.version), align: 'right' },
        { title: 'STATUS', value: ({ status }) => status },
        { title: 'CREATED', value: ({ createdAt }) => listTime(session.out, createdAt, session.now()) },
        { title: 'BY', value: ({ createdBy }) => createdBy, keep: true },
        { title: 'DIGEST', value: ({ digest }) => digest.slice(0, 12), optional: true },
      ])
    }),
  )
  group
    .command('diff')
    .description(`Show what changed between two versions of ${article} ${word}`)
    .argument(`<${word}>`, 'id or name')
    .argument('<from>', 'the number of a version', version)
    .argument('<to>', 'the number of another version', version)
    .action(
      act(async (session, id: string, from: number, to: number) => {
        const diff = await kind.diff(await session.client(), id, from, to)
        answer(session, versionDiff, diff, (out) => {
          if (diff.changes.length === 0) session.note('The two versions are the same.')
          for (const { path, before, after } of diff.changes) {
            out.line(out.paint('bold', visible(path)))
            if (before !== undefined) out.line(out.paint('red', `- ${visible(JSON.stringify(before))}`))
            if (after !== undefined) out.line(out.paint('green', `+ ${visible(JSON.stringify(after))}`))
          }
        })
      }),
    )
}

async function showOne<D extends { readonly name: string }>(
  session: Session,
  kind: DefinitionKind<D>,
  id: string,
  options: { readonly version?: number; readonly definition?: true },
): Promise<void> {
  const client = await session.client()
  if (options.version !== undefined) {
    const found = await kind.getVersion(client, id, options.version)
    if (options.definition) return showDefinition(session, kind.definition, found.definition)
    return answer(session, kind.version, found, (out) => {
      showDetails(out, [
        ['id', found.id],
        ['version', String(found.version)],
        ['status', found.status],
        ['digest', found.digest],
        ['created', fullTime(found.createdAt, session.now())],
        ['by', found.createdBy],
      ])
      showBlock(out, 'definition', yamlOf(kind.definition, found.definition))
    })
  }
  const found = await kind.get(client, id)
  if (options.definition) return showDefinition(session, kind.definition, found.definition)
  answer(session, kind.resource, found, (out) => {
    showDetails(out, detailRows(found, session.now()))
    showBlock(out, 'definition', yamlOf(kind.definition, found.definition))
  })
}

function showDefinition<S extends z.ZodType>(session: Session, schema: S, definition: z.output<S>): void {
  const text = yamlOf(schema, definition)
  if (session.json) writeJson(session, codecOf(schema).encode(definition))
  else session.out.write(session.out.live ? visible(text) : text)
}
