// What the engine knows of the workflow's run that it drives. One context belongs to one run.

import type { Json, JsonObject } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { Compensation, WorkflowNode } from '../../contract/workflow.ts'
import type { DrivenRun } from '../agent/context.ts'
import type { Drive } from '../agent/drive-end.ts'
import type { Interruption } from '../agent/interruption.ts'
import type { ToolBinding } from '../agent/tool-binding.ts'
import type { NodeStep } from './node-step.ts'
import type { Recorded } from './past-attempts.ts'
import type { Scope } from './scope.ts'
import type { Waits } from './waits.ts'
import type { WorkflowRunLimits } from './workflow-limits.ts'
import type { WorkflowPlan } from './workflow-plan.ts'

/** A node that is done, and what undoes it. */
export interface Undoable {
  readonly path: string
  readonly compensate: Compensation
  readonly scope: Scope
  readonly result: Json
  readonly at: EpochMs
  readonly seq: number
}

export interface WorkflowContext extends DrivenRun {
  readonly limits: WorkflowRunLimits
  readonly plan: WorkflowPlan
  /** What expressions know of the run. */
  readonly facts: JsonObject
  /** What stops the run from outside; its own time limit does not stop it. */
  readonly outer: Interruption
  /** How each tool is called; the only place that the engine takes them from. */
  readonly tools: ReadonlyMap<string, ToolBinding>
  /** The last attempt of each node that an earlier drive left, by path. Each is taken once. */
  readonly records: Map<string, NodeStep>
  readonly past: Recorded['past']
  readonly counts: { steps: number; unflushed: number }
  readonly waits: Waits
  readonly undoable: Undoable[]
  /** Runs a block and answers the result of its last node that ran. */
  readonly runBlock: (ctx: WorkflowContext, scope: Scope, nodes: readonly WorkflowNode[]) => Promise<Json>
  /** Drives a run below. */
  readonly drive: Drive
  /** The time, which never goes back within a run: completions are told apart by it. */
  readonly stamp: () => EpochMs
}
