// The public door `agent-factory/define`: definitions as data, on any JavaScript runtime.

export type {
  CodeGuardrail,
  CodeGuardrailContext,
  CodeTool,
  CodeToolContext,
  GuardrailVerdict,
  Reconciliation,
} from './define/code-tool.ts'
export type { AgentOptions, DefinedAgent } from './define/define-agent.ts'
export { defineAgent } from './define/define-agent.ts'
export type { GuardrailOptions, GuardrailReplacements, GuardrailValues } from './define/define-guardrail.ts'
export { defineGuardrail } from './define/define-guardrail.ts'
export type { ToolOptions } from './define/define-tool.ts'
export { defineTool } from './define/define-tool.ts'
export type { WorkflowOptions } from './define/define-workflow.ts'
export { defineWorkflow } from './define/define-workflow.ts'
export type { DefinedWorkflow } from './define/defined-workflow.ts'
export type { AcceptedBy, SchemaSource, ValueOf } from './define/schema-source.ts'
export type { CompensationOptions, WorkflowNodeOptions } from './define/workflow-nodes.ts'
