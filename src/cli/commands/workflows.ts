// `workflow`: definitions of workflows.

import type { Command } from 'commander'
import type { Act } from '../act.ts'
import { WORKFLOWS } from './definition-kinds.ts'
import { addDefinitionCommands } from './definitions.ts'
import { addWorkflowRunCommand } from './workflow-run.ts'
import { addWorkflowVisualize } from './workflow-visualize.ts'

export function addWorkflowCommands(program: Command, act: Act): void {
  const group = program.command('workflow').description('Define workflows, draw and run them')
  addDefinitionCommands(group, act, WORKFLOWS)
  addWorkflowVisualize(group, act)
  addWorkflowRunCommand(group, act)
}
