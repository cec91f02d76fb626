// The workflow definition: blocks of nodes with CEL expressions over `input`, `nodes` and what the block adds.
//
// A block is a list. A node runs after those that `after` names; without `after`, after the one before it in the list;
// with an empty `after`, at once. It runs once all of them have ended and at least one of them leads to it; where none
// does, it is skipped. A node that is done leads to those after it; one that was skipped or failed does not. A node that
// a `goTo` names waits for the node that says so as well, which leads to it by failing: with an empty `after` it runs
// only then. `workflow-graph.ts` has these rules as functions.
//
// An id stands once in the whole workflow. `nodes.<id>` is the result of a node that has ended before for certain: one of
// the same block which comes before by `after` or `goTo`, or one that comes before a block around it. A skipped node has
// none: `has(nodes.<id>)` asks. Expressions name the nodes that they read; `nodes` as a whole they cannot read. `run` has
// the facts of RUN_FACTS.

import { z } from 'zod'
import { approvalPolicy } from './approval.ts'
import { agentName, description, jsonObject, toolName } from './definition.ts'
import { duration } from './duration.ts'

export const WORKFLOW_NODES_MAX = 2_000
export const WORKFLOW_DEPTH_MAX = 8
export const BRANCHES_MAX = 100
export const FOR_EACH_CONCURRENCY_MAX = 100
/** How many items or passes a for-each or a loop may have when it says nothing else. */
export const ITERATIONS_MAX = 100_000
export const WORKFLOW_RETRIES_MAX = 100

/** What expressions know of the run itself. The same however often it is picked up again. */
export const RUN_FACTS = ['id', 'started_at', 'workflow', 'version'] as const

const expression = z.string().min(1).max(2_000)
export const nodeId = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, 'must be lower-case letters, digits and "_"')
  .max(64)
const after = z.array(nodeId).max(WORKFLOW_NODES_MAX)

export const retryPolicy = z.strictObject({
  /** With the first. */
  maxAttempts: z.int().min(1).max(WORKFLOW_RETRIES_MAX),
  /** Before the second attempt (`1s` where it is not given); each later one waits `factor` times longer, up to `maxBackoff`, with full jitter. */
  backoff: duration.optional(),
  factor: z.number().min(1).max(10).optional(),
  maxBackoff: duration.optional(),
  /** Only failures with these codes; without it, all but those that another attempt would meet again. */
  on: z.array(z.string().min(1).max(100)).max(20).optional(),
})

export const nodeTimeout = z.strictObject({
  /** Of one attempt. */
  run: duration.optional(),
  /** Of an attempt, since its last sign of life: a tool's heartbeat, a step of the run below. */
  idle: duration.optional(),
})

/** What undoes a node that is done, should the workflow fail later. CEL over `input`, `nodes` and `result`. */
export const compensation = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('tool'), tool: toolName, input: expression }),
  z.strictObject({ type: z.literal('agent'), agent: agentName, input: expression }),
  z.strictObject({ type: z.literal('workflow'), workflow: agentName, input: expression }),
])

/** `continue`: it counts as done with the result `{error: {code, message}}`; `goTo`: that node of the same block runs instead of what comes after this one, and finds that same result. */
export const onError = z.union([z.enum(['fail', 'continue']), z.strictObject({ goTo: nodeId })])

const common = {
  id: nodeId,
  after: after.optional(),
  /** CEL; where it is not true, the node is skipped. */
  when: expression.optional(),
  retry: retryPolicy.optional(),
  timeout: nodeTimeout.optional(),
  onError: onError.optional(),
  compensate: compensation.optional(),
}

const agentNode = z.strictObject({ ...common, type: z.literal('agent'), agent: agentName, input: expression })
const toolNode = z.strictObject({ ...common, type: z.literal('tool'), tool: toolName, input: expression })
const workflowCallNode = z.strictObject({
  ...common,
  type: z.literal('workflow'),
  workflow: agentName,
  input: expression,
})
const transformNode = z.strictObject({ ...common, type: z.literal('transform'), value: expression })
/** The result is the CEL value of `result`, or that of the last node of the block which ran. */
const waitNode = z.strictObject({
  ...common,
  type: z.literal('wait'),
  /** One of the three. */
  for: duration.optional(),
  /** CEL that gives an RFC 3339 time. */
  until: expression.optional(),
  event: z
    .strictObject({
      name: z.string().min(1).max(200),
      /** CEL that gives a text; without it, the empty text. */
      correlation: expression.optional(),
      /** How long at most; then the node fails with `node.timeout`. */
      timeout: duration.optional(),
    })
    .optional(),
})
const approvalNode = z.strictObject({
  ...common,
  type: z.literal('approval'),
  /** CEL: what is shown and what the answer is bound to. */
  input: expression,
  approval: approvalPolicy.optional(),
})

type Common = {
  [K in keyof typeof common]: z.infer<(typeof common)[K]>
}
type CommonNode = Pick<Common, 'id'> & Partial<Omit<Common, 'id'>>

export interface WorkflowBranch {
  id: string
  nodes: WorkflowNode[]
}
export interface WorkflowCase {
  when: string
  nodes: WorkflowNode[]
}
export type SwitchNode = CommonNode & {
  type: 'switch'
  /** The first whose `when` is true. */
  cases: WorkflowCase[]
  else?: WorkflowNode[] | undefined
}
export type ParallelNode = CommonNode & { type: 'parallel'; branches: WorkflowBranch[] }
export type RaceNode = CommonNode & { type: 'race'; branches: WorkflowBranch[] }
export type ForEachNode = CommonNode & {
  type: 'for_each'
  /** CEL that gives a list. In the block, `item` and `index` (from 0) are known. */
  items: string
  nodes: WorkflowNode[]
  concurrency?: number | undefined
}
export type LoopNode = CommonNode & {
  type: 'loop'
  /** CEL, looked at before each pass over `index` (from 0) and `previous` (the last pass's result, or null). */
  while: string
  /** More passes than this fail the node with `limit.iterations`. */
  max: number
  nodes: WorkflowNode[]
}
export type WorkflowNode =
  | z.infer<typeof agentNode>
  | z.infer<typeof toolNode>
  | z.infer<typeof workflowCallNode>
  | z.infer<typeof transformNode>
  | z.infer<typeof waitNode>
  | z.infer<typeof approvalNode>
  | SwitchNode
  | ParallelNode
  | RaceNode
  | ForEachNode
  | LoopNode

const block: z.ZodType<WorkflowNode[]> = z.lazy(() => z.array(workflowNode).min(1).max(WORKFLOW_NODES_MAX))
const branch = z.strictObject({ id: nodeId, nodes: block })
const branches = z.array(branch).min(1).max(BRANCHES_MAX)
const switchNode = z.strictObject({
  ...common,
  type: z.literal('switch'),
  cases: z
    .array(z.strictObject({ when: expression, nodes: block }))
    .min(1)
    .max(BRANCHES_MAX),
  else: block.optional(),
})
const parallelNode = z.strictObject({ ...common, type: z.literal('parallel'), branches })
const raceNode = z.strictObject({ ...common, type: z.literal('race'), branches })
const forEachNode = z.strictObject({
  ...common,
  type: z.literal('for_each'),
  items: expression,
  nodes: block,
  concurrency: z.int().min(1).max(FOR_EACH_CONCURRENCY_MAX).optional(),
})
const loopNode = z.strictObject({
  ...common,
  type: z.literal('loop'),
  while: expression,
  max: z.int().min(1).max(ITERATIONS_MAX),
  nodes: block,
})

/** The result of a block node: `switch` that of the case; `parallel` an object by branch; `race` `{branch, result}`; `for_each` a list in the order of the items; `loop` that of the last pass. A block's result is that of its last node that ran. */
export const workflowNode = z.discriminatedUnion('type', [
  agentNode,
  toolNode,
  workflowCallNode,
  transformNode,
  waitNode,
  approvalNode,
  switchNode,
  parallelNode,
  raceNode,
  forEachNode,
  loopNode,
])

export const workflowLimits = z.strictObject({
  /** Nodes that may run, with every pass and attempt; the children's not counted. */
  maxSteps: z.int().min(1).max(1_000_000).optional(),
  maxTokens: z.int().min(1).max(1_000_000_000).optional(),
  maxCostUsd: z
    .string()
    .regex(/^\d{1,9}(\.\d{1,9})?$/, 'must be a decimal text of USD, for example "0.50"')
    .optional(),
  /** Time that it works; while it waits for a person, a time or an event, the clock stands still. */
  timeoutMs: z.int().min(1).max(86_400_000).optional(),
})

export const workflowDefinition = z.strictObject({
  name: agentName,
  description: description.optional(),
  /** JSON Schema 2020-12 of the input and of the output. */
  inputSchema: jsonObject.optional(),
  outputSchema: jsonObject.optional(),
  nodes: z.array(workflowNode).min(1).max(WORKFLOW_NODES_MAX),
  /** CEL over `input` and `nodes`: what the workflow answers; without it, the last node's result. */
  output: expression.optional(),
  limits: workflowLimits.optional(),
  /** How many runs of it may be driven at a time, per tenant. */
  maxConcurrentRuns: z.int().min(1).max(10_000).optional(),
})

export type WorkflowDefinition = z.infer<typeof workflowDefinition>
export type WorkflowLimits = z.infer<typeof workflowLimits>
export type RetryPolicy = z.infer<typeof retryPolicy>
export type Compensation = z.infer<typeof compensation>
