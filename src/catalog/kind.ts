// The three kinds of definition differ by data: a schema and its codec. Everything else in the catalog is written once.

import type { z } from 'zod'
import { agentDefinition } from '../contract/agent.ts'
import type { Codec } from '../contract/codec.ts'
import { codecOf } from '../contract/codec.ts'
import { agentName, toolName } from '../contract/definition.ts'
import { toolDefinition } from '../contract/tool.ts'
import { workflowDefinition } from '../contract/workflow.ts'
import type { Kind, KindMap } from './catalog.ts'

export interface KindData<K extends Kind> {
  readonly kind: K
  readonly schema: z.ZodType<KindMap[K]['definition']>
  readonly codec: Codec<KindMap[K]['definition']>
}

export const KINDS: { readonly [K in Kind]: KindData<K> } = {
  agent: { kind: 'agent', schema: agentDefinition, codec: codecOf(agentDefinition) },
  tool: { kind: 'tool', schema: toolDefinition, codec: codecOf(toolDefinition) },
  workflow: { kind: 'workflow', schema: workflowDefinition, codec: codecOf(workflowDefinition) },
}

/** Whether the text can be the name of anything of that kind; what cannot is not looked for. */
export function isName(kind: Kind, text: string): boolean {
  return (kind === 'tool' ? toolName : agentName).safeParse(text).success
}
