// The three kinds of definition differ by data: a schema and its codec. Everything else in the catalog is written once.

import type { z } from 'zod'
import { createBoundedMap } from '../base/bounded-map.ts'
import type { Json } from '../base/json.ts'
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
  /** The definition of a stored body. The same digest is the same definition: it is shared, and nobody changes it. */
  read(digest: string, body: string): KindMap[K]['definition']
}

const READ_MAX = 1_000

export const KINDS: { readonly [K in Kind]: KindData<K> } = {
  agent: kindData('agent', agentDefinition),
  tool: kindData('tool', toolDefinition),
  workflow: kindData('workflow', workflowDefinition),
}

function kindData<K extends Kind>(kind: K, schema: z.ZodType<KindMap[K]['definition']>): KindData<K> {
  const codec = codecOf(schema)
  const known = createBoundedMap<KindMap[K]['definition']>(READ_MAX)
  const read = (digest: string, body: string): KindMap[K]['definition'] => {
    const shared = known.get(digest)
    if (shared !== undefined) return shared
    const definition = codec.read(JSON.parse(body) as Json)
    known.set(digest, definition)
    return definition
  }
  return { kind, schema, codec, read }
}

/** Whether the text can be the name of anything of that kind; what cannot is not looked for. */
export function isName(kind: Kind, text: string): boolean {
  return (kind === 'tool' ? toolName : agentName).safeParse(text).success
}
