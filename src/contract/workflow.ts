// The workflow definition: nodes joined by `after`, with CEL expressions over `input` and `nodes`.

import { z } from 'zod'
import { agentName, description, jsonObject, toolName } from './definition.ts'

export const WORKFLOW_NODES_MAX = 500

const expression = z.string().min(1).max(2_000)
const nodeId = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, 'must be lower-case letters, digits and "_"')
  .max(64)
const after = z.array(nodeId).max(WORKFLOW_NODES_MAX).optional()

const agentNode = z.strictObject({
  id: nodeId,
  type: z.literal('agent'),
  agent: agentName,
  input: expression,
  after,
})
const toolNode = z.strictObject({
  id: nodeId,
  type: z.literal('tool'),
  tool: toolName,
  input: expression,
  after,
})
const transformNode = z.strictObject({ id: nodeId, type: z.literal('transform'), value: expression, after })

export const workflowNode = z.discriminatedUnion('type', [agentNode, toolNode, transformNode])

export const workflowDefinition = z.strictObject({
  name: agentName,
  description: description.optional(),
  inputSchema: jsonObject.optional(),
  nodes: z.array(workflowNode).min(1).max(WORKFLOW_NODES_MAX),
  /** CEL over `input` and `nodes`: what the workflow answers; without it, the last node's result. */
  output: expression.optional(),
})

export type WorkflowDefinition = z.infer<typeof workflowDefinition>
export type WorkflowNode = z.infer<typeof workflowNode>
