// `workflow`: definitions of workflows.

import type { Command } from 'commander'
import type { Act } from '../act.ts'
import { WORKFLOWS } from './definition-kinds.ts'
import { addDefinitionCommands } from './definitions.ts'

export function addWorkflowCommands(program: Command, act: Act): void {
  addDefinitionCommands(program.command('workflow').description('Define workflows'), act, WORKFLOWS)
}
