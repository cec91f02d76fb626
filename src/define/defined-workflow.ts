// What `defineWorkflow` answers.

import type { ToolDefinition } from '../contract/tool.ts'
import type { WorkflowDefinition } from '../contract/workflow.ts'
import type { CodeTool } from './code-tool.ts'
import type { DefinedAgent } from './define-agent.ts'

export interface DefinedWorkflow {
  /** What the catalog keeps: data, with names where the options had values. */
  readonly definition: WorkflowDefinition
  /** What was given as a value, each once, for the host to register. */
  readonly agents: readonly DefinedAgent[]
  readonly tools: readonly (CodeTool | ToolDefinition)[]
  readonly workflows: readonly DefinedWorkflow[]
}
