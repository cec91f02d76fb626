// Defines a workflow: plain data for the catalog, and beside it what its nodes were given as values, at any depth.

import type { WorkflowDefinition } from '../contract/workflow.ts'
import { workflowDefinition } from '../contract/workflow.ts'
import { checkedDefinition } from './checked-definition.ts'
import type { DefinedWorkflow } from './defined-workflow.ts'
import type { SchemaSource } from './schema-source.ts'
import { jsonSchemaOf } from './schema-source.ts'
import { type Given, plainBlock, type WorkflowNodeOptions } from './workflow-nodes.ts'

export interface WorkflowOptions extends Omit<WorkflowDefinition, 'nodes' | 'inputSchema' | 'outputSchema'> {
  /** A Standard Schema or JSON Schema 2020-12 of the input. */
  readonly inputSchema?: SchemaSource
  /** Of what the workflow answers. */
  readonly outputSchema?: SchemaSource
  readonly nodes: readonly WorkflowNodeOptions[]
}

/**
 * Defines a workflow; its nodes have the names and the order of the definition in YAML, and may hold agents, tools and
 * workflows as what their `define…` answered:
 * `defineWorkflow({ name: 'triage', nodes: [{ id: 'classify', type: 'agent', agent: classifier, input: 'input.text' }] })`.
 * Throws `definition.invalid` with every wrong field. Nothing is sent, stored or executed.
 */
export function defineWorkflow(options: WorkflowOptions): DefinedWorkflow {
  const { inputSchema, outputSchema, nodes, ...plain } = options
  const owner = (field: string): string => `The ${field} of workflow "${options.name}"`
  const given: Given = { agents: new Set(), tools: new Set(), workflows: new Set() }
  const definition = {
    ...plain,
    ...(inputSchema && { inputSchema: jsonSchemaOf(inputSchema, 'input', owner('inputSchema')) }),
    ...(outputSchema && { outputSchema: jsonSchemaOf(outputSchema, 'output', owner('outputSchema')) }),
    nodes: plainBlock(nodes, given),
  }
  return {
    definition: checkedDefinition('workflow', workflowDefinition, definition),
    agents: [...given.agents],
    tools: [...given.tools],
    workflows: [...given.workflows],
  }
}
