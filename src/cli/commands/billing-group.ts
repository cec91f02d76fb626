// `billing`: one group of commands, to which several parts add theirs.

import type { Command } from 'commander'

/** The group, made by whoever comes first. */
export function billingGroup(program: Command): Command {
  const there = program.commands.find((command) => command.name() === 'billing')
  return there ?? program.command('billing').description('Plans, usage, invoices, and what is owed')
}
