// docs/cli.md, made from the tree of commands. A test says when the page is old; this writes it anew:
//   node src/cli/reference-page.ts > docs/cli.md

import type { Command } from 'commander'
import { GLOBAL_OPTIONS, leavesOf } from './program.ts'

const INTRODUCTION = `# The command line

\`agent-factory\` (or \`af\`) speaks to a server, or is one. In a checkout it is \`npx agent-factory\`.

## Ask an agent

\`\`\`
npx agent-factory agent run guide "Where is order 1002?"
\`\`\`

On a terminal the text is shown as it arrives; below it stand the run, its steps, tokens and cost. \`--session\` goes on with a
conversation, \`--detach\` does not wait, \`--max-cost\` and other limits narrow the agent's own.

## Which server, which key

1. \`--api-url\` and \`--api-key\`
2. \`AGENT_FACTORY_URL\` and \`AGENT_FACTORY_API_KEY\`
3. in \`LOCAL_DEV\`, the server of this folder: its address and key are in \`.agent-factory/credentials.json\`
4. what \`agent-factory auth login\` stored for your user

A stored key is sent only to the server that it was stored for. In \`LOCAL_DEV\`, when the server of the folder is not running,
a command opens the database of the folder itself: \`agent-factory agent run guide "…"\` answers at once, without a server and
without a key. \`--local\` asks for that in any case.

Then only commands that wait for a run (\`agent run\`, \`workflow run\`, \`run replay --wait\`, \`run watch\`) do runs in their own
process. All others only record what is asked of them, for the next server or worker.

## Output

Data goes to standard output, everything else to standard error. On a terminal there are colours, tables that fit and text as
it arrives; in a pipe there are plain lines. \`--json\` prints the API's own JSON: an object, or an array for a list; \`--ndjson\`
prints a line for each item. A list shows 50 items unless \`--limit\` or \`--all\` says otherwise.

## Exit codes

| code | meaning |
|---|---|
| 0 | done; of a run also: it waits for somebody, a time, an event or a worker, and a line says what to do |
| 1 | failed: the server refused, a run did not complete, nothing could be reached |
| 2 | usage: the command was written wrong |
| 3 | not found |
| 4 | denied: no key, a wrong key, or a permission is missing |
| 5 | budget: a money limit was reached |
| 130 | Ctrl-C |

\`AGENT_FACTORY_DEBUG=1\` shows what caused a failure.

## Completion

\`\`\`
source <(agent-factory completion bash)
agent-factory completion zsh > "\${fpath[1]}/_agent-factory"
agent-factory completion fish > ~/.config/fish/completions/agent-factory.fish
\`\`\`
`

/** The whole page as Markdown. */
export function referencePage(program: Command): string {
  const shared = optionLines(program, GLOBAL_OPTIONS)
  const groups = program.commands.map((command) => {
    const leaves = command.commands.length > 0 ? leavesOf(command) : [command]
    const about = command.commands.length > 0 ? `\n${command.description()}.\n` : ''
    return `\n## ${command.name()}\n${about}${leaves.map((leaf) => section(leaf, command)).join('')}`
  })
  return `${INTRODUCTION}\n## Options of every command\n\n${shared.join('\n')}\n${groups.join('')}`
}

function section(leaf: Command, group: Command): string {
  const path = leaf === group ? leaf.name() : `${group.name()} ${leaf.name()}`
  const usage = [
    'agent-factory',
    path,
    ...leaf.registeredArguments.map((argument) => {
      const name = argument.variadic ? `${argument.name()}...` : argument.name()
      return argument.required ? `<${name}>` : `[${name}]`
    }),
  ].join(' ')
  const details = [
    ...leaf.registeredArguments.map(
      (argument) => `- \`${argument.name()}\`: ${choices(argument.description, argument.argChoices)}`,
    ),
    ...optionLines(leaf),
  ]
  const title = leaf === group ? '' : `\n### ${path}\n`
  return `${title}\n\`${usage}\`\n\n${leaf.description()}.\n${details.length > 0 ? `\n${details.join('\n')}\n` : ''}`
}

function optionLines(command: Command, helpGroup?: string): readonly string[] {
  return command.options
    .filter((option) => option.helpGroupHeading === helpGroup && option.long !== '--version')
    .map(({ flags, description, argChoices }) => `- \`${flags}\`: ${choices(description, argChoices)}`)
}

function choices(description: string, values: readonly string[] | undefined): string {
  return values === undefined ? description : `${description} (${values.join(', ')})`
}

if (import.meta.main) {
  const { createProgram } = await import('./program.ts')
  const { processWorld } = await import('./world.ts')
  process.stdout.write(referencePage(createProgram(processWorld())))
}
