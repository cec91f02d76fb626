// The commands that write agents, tools and workflows. Definitions come from files in JSON or YAML, with the names of
// the API.

import type { Command } from 'commander'
import { Option } from 'commander'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { whole } from '../input/option-values.ts'
import { decoded, parseDocument } from '../input/parse-document.ts'
import { readText } from '../input/read-text.ts'
import { answer } from '../output/answers.ts'
import { showDetails } from '../output/details.ts'
import { visible } from '../output/escape.ts'
import type { Session } from '../session.ts'
import type { DefinitionKind, Resource } from './definition-kinds.ts'
import { detailRows } from './definition-text.ts'

interface SourceOptions {
  readonly file?: string
  readonly publish?: true
}

interface PublishOptions {
  readonly version?: number
  readonly inFlight?: 'finish' | 'cancel'
}

const VERSION_MAX = 999_999_999
/** The number of a version, from an argument. */
export const version = whole(1, VERSION_MAX)

export function addDefinitionWrites<D extends { readonly name: string }>(
  group: Command,
  act: Act,
  kind: DefinitionKind<D>,
): void {
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
      act(
        async (
          session,
          id: string,
          file: string | undefined,
          options: SourceOptions & { expectedVersion?: number },
        ) => {
          const definition = await readDefinition(session, kind, file ?? options.file)
          const { publish, expectedVersion } = options
          const changed = await kind.update(await session.client(), id, definition, {
            publish,
            expectedVersion,
          })
          showWritten(session, kind, changed)
        },
      ),
    )
  for (const [name, description] of [
    ['publish', `Publish a version of ${article} ${word}: the latest where none is named`],
    ['rollback', `Publish an older version of ${article} ${word} again: the one before where none is named`],
  ] as const) {
    const command = group
      .command(name)
      .description(description)
      .argument(`<${word}>`, 'id or name')
      .option('--version <number>', 'the number of the version', version)
    if (name === 'publish' && word !== 'tool') command.addOption(inFlightOption())
    command.action(
      act(async (session, id: string, options: PublishOptions) => {
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

function inFlightOption(): Option {
  return new Option(
    '--in-flight <policy>',
    'what becomes of runs of other versions that are in flight (default: they finish)',
  ).choices(['finish', 'cancel'])
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

function showWritten<D extends { readonly name: string }>(
  session: Session,
  kind: DefinitionKind<D>,
  written: Resource<D>,
): void {
  answer(session, kind.resource, written, (out) => {
    showDetails(out, detailRows(written, session.now()))
    if (written.publishedVersion === null)
      session.note(`It is a draft: "agent-factory ${kind.word} publish ${written.name}" publishes it.`)
  })
}
