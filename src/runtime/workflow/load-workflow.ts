// A workflow's run is taken up: from nothing, or from the steps that earlier drives left. They are read once.

import type { WorkflowId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { WorkflowLimits } from '../../contract/workflow.ts'
import type { Allowance } from '../agent/allowance.ts'
import type { DriveDeps } from '../agent/context.ts'
import type { Drive } from '../agent/drive-end.ts'
import { drivenRun } from '../agent/driven-run.ts'
import type { Interruption } from '../agent/interruption.ts'
import { openAllowance } from '../agent/open-allowance.ts'
import { addUsageOf } from '../agent/usage-below.ts'
import type { Journal } from '../journal/journal.ts'
import type { RunRow } from '../journal/run-store.ts'
import { type StepRow, stepsOf } from '../journal/step-store.ts'
import { toolForRun } from '../replay/recorded-tool.ts'
import { runBlock } from './block.ts'
import { stepOf } from './node-step.ts'
import { endAttempt } from './past-attempts.ts'
import { runFacts } from './run-facts.ts'
import { createWaits, type Waits } from './waits.ts'
import type { WorkflowContext } from './workflow-context.ts'
import { toWorkflowRunLimits } from './workflow-limits.ts'

export async function loadWorkflow(
  deps: DriveDeps,
  run: RunRow,
  { interruption, outer }: { readonly interruption: Interruption; readonly outer: Interruption },
  untrusted: boolean,
  drive: Drive,
  above: Allowance,
): Promise<WorkflowContext> {
  const db = deps.db.tenant(run.tenantId)
  const id = run.definitionId as WorkflowId
  const plan = await deps.workflows.plan(run.tenantId, id, run.definitionVersion, run.pins)
  const waits = createWaits(db, deps.clock, run)
  // What drives the run now: where it is being undone, that goes on in its own time.
  const cancelAsked = (): void => (deps.active.get(run.id) ?? interruption).stop('cancelled')
  const driven = await drivenRun(deps, run, interruption, untrusted, cancelAsked)
  const limits = toWorkflowRunLimits(JSON.parse(run.limits) as WorkflowLimits)
  let last: EpochMs = 0
  const ctx: WorkflowContext = {
    ...driven,
    plan,
    facts: await runFacts(db, run),
    outer,
    tools: new Map([...plan.tools].map(([name, tool]) => [name, toolForRun(db, run, tool)])),
    limits,
    allowance: await openAllowance(driven, limits.maxCostNanos, above),
    journal: inTurn(driven.journal, waits),
    records: new Map(),
    past: new Map(),
    counts: { steps: 0, unflushed: 0 },
    waits,
    undoable: [],
    runBlock,
    drive,
    stamp: () => {
      last = Math.max(last, deps.clock())
      return last
    },
  }
  if (run.stepCount > 0) {
    const rows = await db.read(async (reader) => {
      const steps = await stepsOf(reader, run.id)
      const children = steps.filter(({ state }) => ENDED.has(state))
      const ids = children.map(({ childRunId }) => childRunId).filter((child) => child !== null)
      await addUsageOf(reader, run.rootRunId, ids, ctx.tally)
      return steps
    })
    for (const row of rows) {
      last = Math.max(last, row.startedAt, row.finishedAt ?? 0)
      recall(ctx, row)
    }
  }
  return ctx
}

function recall(ctx: WorkflowContext, row: StepRow): void {
  const step = stepOf(row, true)
  if (row.attempt > 1 && BLOCK_KINDS.has(row.kind)) beginAnew(ctx, step.path)
  ctx.records.set(step.path, step)
  if (row.state !== 'skipped') ctx.counts.steps += 1
  ctx.untrusted ||= row.state === 'done' && isUntrusted(ctx, row)
}

/** One that was given up has used something, too. */
const ENDED: ReadonlySet<StepRow['state']> = new Set<StepRow['state']>(['done', 'failed', 'interrupted'])

const BLOCK_KINDS: ReadonlySet<StepRow['kind']> = new Set<StepRow['kind']>([
  'switch',
  'parallel',
  'race',
  'for_each',
  'loop',
])

/** Another attempt at a node with blocks begins them anew. */
function beginAnew(ctx: WorkflowContext, path: string): void {
  const before = ctx.records.get(path)
  if (before === undefined) return
  const ended = endAttempt(ctx, before)
  const known = ctx.past.get(path)
  if (known === undefined) ctx.past.set(path, [ended])
  else known.push(ended)
}

function isUntrusted(ctx: WorkflowContext, row: StepRow): boolean {
  if (row.kind === 'tool') return ctx.tools.get(row.name)?.untrusted ?? true
  return row.kind === 'agent' || row.kind === 'workflow' || (row.kind === 'wait' && row.output !== 'null')
}

/**
 * A journal whose writes follow each other: branches gather into the same one, and what was gathered first is on record
 * first. Branches that want to write while one writes share the next.
 */
function inTurn(journal: Journal, waits: Waits): Journal {
  let tail: Promise<unknown> = Promise.resolve()
  let next: Promise<void> | undefined
  const after = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = tail.then(work, work)
    tail = turn.catch(() => undefined)
    return turn
  }
  return {
    ...journal,
    flush: () =>
      waits.busy(() => {
        next ??= after(() => {
          next = undefined
          return journal.flush()
        })
        return next
      }),
    fenced: (work) => waits.busy(() => after(() => journal.fenced(work))),
  }
}
