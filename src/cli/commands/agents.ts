// `agent`: definitions of agents, and asking one.

import type { Command } from 'commander'
import type { Act } from '../act.ts'
import { addAgentRunCommand } from './agent-run.ts'
import { AGENTS } from './definition-kinds.ts'
import { addDefinitionCommands } from './definitions.ts'

export function addAgentCommands(program: Command, act: Act): void {
  const group = program.command('agent').description('Define agents, and ask them')
  addDefinitionCommands(group, act, AGENTS)
  addAgentRunCommand(group, act)
}
