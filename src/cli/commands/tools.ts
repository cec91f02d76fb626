// `tool`: definitions of tools, trying one, and making them from an OpenAPI document.

import type { Command } from 'commander'
import type { Json } from '../../base/json.ts'
import type { ImportedTools } from '../../contract/routes/tools.ts'
import { ROUTES } from '../../contract/routes.ts'
import type { Act } from '../act.ts'
import { CliFailure, usage } from '../cli-failure.ts'
import { list } from '../input/option-values.ts'
import { parseArgument, parseDocument } from '../input/parse-document.ts'
import { readText } from '../input/read-text.ts'
import { answer, writeJson } from '../output/answers.ts'
import { counted } from '../output/cost-text.ts'
import { oneLine, visible } from '../output/escape.ts'
import { tableLines } from '../output/table.ts'
import type { Session } from '../session.ts'
import { TOOLS } from './definition-kinds.ts'
import { addDefinitionCommands } from './definitions.ts'

interface TestOptions {
  readonly input?: string
  readonly file?: string
}

interface ImportOptions {
  readonly baseUrl?: string
  readonly only?: readonly string[]
  readonly create?: true
  readonly publish?: true
}

const imported = ROUTES.importTools.responses[200]

export function addToolCommands(program: Command, act: Act): void {
  const group = program.command('tool').description('Define tools, try and import them')
  addDefinitionCommands(group, act, TOOLS)
  group
    .command('test')
    .description('Run a tool once, outside a run: it really runs, with its effect')
    .argument('<tool>', 'the name of the tool')
    .option('--input <json>', 'its arguments as JSON')
    .option('--file <file>', 'its arguments from a file in JSON or YAML; "-" reads standard input')
    .action(
      act(async (session, name: string, options: TestOptions) => {
        const input = await inputOf(session, options)
        const output = await (await session.client()).testTool(name, input)
        if (session.json) writeJson(session, { output })
        else
          session.out.line(
            visible(typeof output === 'string' ? output : JSON.stringify(output, undefined, 2)),
          )
      }),
    )
  group
    .command('import')
    .description('Turn an OpenAPI 3 document into tools; without --create they are only shown')
    .argument('<file>', 'the document in JSON or YAML; "-" reads standard input')
    .option('--base-url <url>', "instead of the document's own servers")
    .option('--only <operations>', 'only these operations (operationId), separated by commas', list)
    .option('--create', 'make the tools')
    .option('--publish', 'make the tools and publish them')
    .action(act(importTools))
}

async function inputOf(session: Session, { input, file }: TestOptions): Promise<Json> {
  if (input !== undefined && file !== undefined) throw usage('Give --input or --file, not both.')
  if (file !== undefined) return parseDocument(await readText(session.world, file), file)
  return input === undefined ? {} : parseArgument(input, '--input')
}

async function importTools(session: Session, file: string, options: ImportOptions): Promise<void> {
  const document = parseDocument(await readText(session.world, file), file)
  const { baseUrl, only, create, publish } = options
  const client = await session.client()
  const result = await client.importTools({
    document,
    ...(baseUrl !== undefined && { baseUrl }),
    ...(only !== undefined && { only: [...only] }),
    ...((create || publish) && { create: true }),
    ...(publish && { publish: true }),
  })
  answer(session, imported, result, () => showImported(session, result, create === true || publish === true))
  // A part that could not be made must not look like success to a script.
  if (create && result.skipped.length > 0)
    throw new CliFailure(
      'failed',
      `${counted(result.skipped.length, 'operation')} could not be made into tools.`,
    )
}

function showImported(session: Session, { tools, created, skipped }: ImportedTools, made: boolean): void {
  const { out } = session
  const versions = new Map(created.map(({ name, id, version }) => [name, `${id}, version ${version}`]))
  if (tools.length > 0) {
    const lines = tableLines(
      out,
      [
        { title: 'NAME', value: ({ name }) => name, keep: true },
        { title: 'EFFECT', value: ({ effect }) => effect ?? '' },
        ...(made
          ? [
              {
                title: 'MADE',
                value: ({ name }: { name: string }) => versions.get(name) ?? 'no',
                keep: true as const,
              },
            ]
          : []),
        { title: 'DESCRIPTION', value: ({ description }) => description, optional: true },
      ],
      tools,
    )
    for (const line of lines) out.line(line)
  }
  for (const { operation, reason } of skipped) session.note(oneLine(`skipped ${operation}: ${reason}`))
  if (!made && tools.length > 0) session.note('These are only shown: --create makes them.')
}
