// `completion`: scripts with which shells complete commands and options, made from the tree of commands.

import type { Command } from 'commander'
import { Argument } from 'commander'
import type { Act } from '../act.ts'
import { type CompletionNode, completionScript, SHELLS, type Shell } from '../output/completion-script.ts'

export function addCompletionCommand(program: Command, act: Act): void {
  program
    .command('completion')
    .description('Print a script that completes commands in a shell: source <(agent-factory completion bash)')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action(
      act(async (session, shell: Shell) =>
        session.out.write(completionScript(shell, completionNodes(program))),
      ),
    )
}

/** Every command with what may follow it. */
function completionNodes(command: Command, path: readonly string[] = []): readonly CompletionNode[] {
  const commands = command.commands.map((child) => ({ name: child.name(), description: child.description() }))
  const options = command.options.map(({ long, short, description, argChoices, required }) => ({
    name: long ?? short ?? '',
    description,
    takesValue: required,
    choices: argChoices ?? [],
  }))
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])
  return [
    { path, commands, options: [...options, HELP], choices },
    ...command.commands.flatMap((child) => completionNodes(child, [...path, child.name()])),
  ]
}

const HELP = { name: '--help', description: 'print help', takesValue: false, choices: [] }
