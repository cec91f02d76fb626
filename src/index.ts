// The public door `agent-factory`: what most programs import. More lies behind `agent-factory/define` and `/sdk`.

export type { CodeGuardrail, CodeTool, CodeToolContext, DefinedAgent, DefinedWorkflow } from './define.ts'
export { defineAgent, defineGuardrail, defineTool, defineWorkflow } from './define.ts'
