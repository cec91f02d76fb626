// The commands that agents, tools and workflows have alike: create, list, get, update, publish, rollback, diff,
// versions, delete. Definitions come from files in JSON or YAML, with the names of the API.

import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { z } from 'zod'
import { codecOf } from '../../contract/codec.ts'
import { versionDiff } from '../../contract/resource.ts'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { whole } from '../input/option-values.ts'
import { decoded, parseDocument } from '../input/parse-document.ts'
import { readText } from '../input/read-text.ts'
import { answer, answerList, type ListOptions, writeJson } from '../output/answers.ts'
import { showBlock, showDetails } from '../output/details.ts'
import { visible } from '../output/escape.ts'
import { absoluteTime, fullTime, relativeTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import type { DefinitionKind, Resource } from './definition-kinds.ts'
import { addListOptions } from './list-options.ts'

interface SourceOptions {
  readonly file?: string
  readonly publish?: true
}

const VERSION_MAX = 999_999_999
const version = whole(1, VERSION_MAX)

export function addDefinitionCommands<D extends { readonly name: string }>(
  group: Command,
  act: Act,
  kind: DefinitionKind<D>,
): void {
  const { word, article } = kind
  addWrites(group, act, kind)
  const list = group.command('list').description(`List ${word}s, newest first`)
  addListOptions(list)
    .option('--archived', 'archived ones instead of those in use')
    .action(
      act(async (session, options: ListOptions & { readonly archived?: true }) => {
        const client = await session.client()
        const fetch = (page: { limit: number; signal: AbortSignal }) =>
          kind.list(client, { ...page, ...(options.archived && { archived: true }) })
        await answerList(session, kind.resource, options, fetch, listColumns(session, kind))
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
  const versions = group.command('versions').description(`List the versions of ${article} ${word}, newest first`)
  addListOptions(versions.argument(`<${word}>`, 'id or name')).action(
    act(async (session, id: string, options: ListOptions) => {
      const client = await session.client()
      await answerList(session, kind.version, options, (page) => kind.versions(client, id, page), [
        { title: 'VERSION', value: (item) => String(item.version), align: 'right' },
        { title: 'STATUS', value: ({ status }) => status },
        { title: 'CREATED', value: ({ createdAt }) => when(session, createdAt) },
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

function addWrites<D extends { readonly name: string }>(group: Command, act: Act, kind: DefinitionKind<D>): void {
  const { word, article, example } = kind
  group
    .command('create')
    .description(`Create ${article} ${word} from a file`)
    .argument('[file]', `JSON or YAML, for example ${example}; "-" reads standard input`)
    .option('--file <file>', 'the same as the argument')
    .option('--publish', 'publish it at once')
    .action(
      act(async (session, file: string | undefined, options: SourceOptions) => {
        const definition = await readDefinition(session, kind, file ?? options.file)
        const made = await kind.create(await session.client(), definition, { publish: options.publish })
        showWritten(session, kind, made)
      }),
    )
  group
    .command('update')
    .description(`Add a version of ${article} ${word} from a file: the whole definition`)
    .argument(`<${word}>`, 'id or name')
    .argument('[file]', 'JSON or YAML; "-" reads standard input')
    .option('--file <file>', 'the same as the argument')
    .option('--publish', 'publish the new version at once')
    .option('--expected-version <number>', 'fail where the latest version is another one', version)
    .action(
      act(async (session, id: string, file: string | undefined, options: SourceOptions & { expectedVersion?: number }) => {
        const definition = await readDefinition(session, kind, file ?? options.file)
        const { publish, expectedVersion } = options
        const changed = await kind.update(await session.client(), id, definition, { publish, expectedVersion })
        showWritten(session, kind, changed)
      }),
    )
  for (const [name, description] of [
    ['publish', `Publish a version of ${article} ${word}: the latest where none is named`],
    ['rollback', `Publish an older version of ${article} ${word} again: the one before where none is named`],
  ] as const) {
    group
      .command(name)
      .description(description)
      .argument(`<${word}>`, 'id or name')
      .option('--version <number>', 'the number of the version', version)
      .action(
        act(async (session, id: string, options: { version?: number }) => {
          showWritten(session, kind, await kind[name](await session.client(), id, options))
        }),
      )
  }
  group
    .command('delete')
    .description(`Archive ${article} ${word}: no new runs; its versions stay`)
    .argument(`<${word}>`, 'id or name')
    .action(
      act(async (session, id: string) => {
        await kind.remove(await session.client(), id)
        session.note(`Archived ${word} ${visible(id)}.`)
      }),
    )
}

async function readDefinition<D extends { readonly name: string }>(
  session: Session,
  kind: DefinitionKind<D>,
  file: string | undefined,
): Promise<D> {
  if (file === undefined) throw usage(`Name the file of the ${kind.word}, or "-" for standard input.`)
  const what = file === '-' ? 'Standard input' : file
  return decoded(kind.definition, parseDocument(await readText(session.world, file), what), what)
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
    showDetails(out, detailRows(session, found))
    showBlock(out, 'definition', yamlOf(kind.definition, found.definition))
  })
}

function showDefinition<S extends z.ZodType>(session: Session, schema: S, definition: z.output<S>): void {
  if (session.json) return writeJson(session, codecOf(schema).encode(definition))
  const text = yamlOf(schema, definition)
  session.out.write(session.out.live ? visible(text) : text)
}

function yamlOf<S extends z.ZodType>(schema: S, definition: z.output<S>): string {
  return stringify(codecOf(schema).encode(definition), { lineWidth: 0 })
}

function showWritten<D extends { readonly name: string }>(
  session: Session,
  kind: DefinitionKind<D>,
  written: Resource<D>,
): void {
  answer(session, kind.resource, written, (out) => {
    showDetails(out, detailRows(session, written))
    if (written.publishedVersion === null)
      session.note(`It is a draft: "agent-factory ${kind.word} publish ${written.name}" publishes it.`)
  })
}

function detailRows<D>(session: Session, found: Resource<D>): readonly (readonly [string, string | undefined])[] {
  return [
    ['id', found.id],
    ['name', found.name],
    ['version', `${found.version} (${found.status}${latestNote(found)})`],
    ['digest', found.digest],
    ['created', fullTime(found.createdAt, session.now())],
    ['updated', fullTime(found.updatedAt, session.now())],
    ['archived', fullTime(found.archivedAt, session.now())],
  ]
}

function listColumns<D>(session: Session, { column }: Pick<DefinitionKind<D & { readonly name: string }>, 'column'>) {
  return [
    { title: 'ID', value: ({ id }: Resource<D>) => id, keep: true as const },
    { title: 'NAME', value: ({ name }: Resource<D>) => name },
    {
      title: 'VERSION',
      value: (item: Resource<D>) => `${item.version} ${item.status}${latestNote(item)}`,
    },
    column,
    { title: 'UPDATED', value: ({ updatedAt }: Resource<D>) => when(session, updatedAt), optional: true as const },
  ]
}

function latestNote({ version: shown, latestVersion }: { readonly version: number; readonly latestVersion: number }): string {
  return latestVersion === shown ? '' : `, latest ${latestVersion}`
}

function when(session: Session, time: string): string {
  return session.out.live ? relativeTime(time, session.now()) : absoluteTime(time)
}
