// What a run did, as rows: read whole or up to a step, and written again as the beginning of another run. Large texts are
// shared by their hash; model calls and their usage stay with the run that made them.

import { AppError } from '../../base/errors.ts'
import type { RunId } from '../../base/ids.ts'
import type { TenantReader, TenantTransaction } from '../../storage/database.ts'
import type { RowOf } from '../../storage/schema/tables.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'
import { insertMessage, messagesUntil } from '../journal/message-store.ts'
import type { RunRow } from '../journal/run-store.ts'
import { insertStep, type StepRow, stepsOf } from '../journal/step-store.ts'

type MessageRow = RowOf<'runMessages'>

export interface RunRecord {
  readonly steps: readonly StepRow[]
  readonly messages: readonly MessageRow[]
}

/** How many steps a refusal names. */
const NAMED_MAX = 20

/** All that a run did. Throws `run.not-replayable` where what was said was not kept. */
export async function readRecord(reader: TenantReader, run: RunRow): Promise<RunRecord> {
  const steps = await stepsOf(reader, run.id)
  const messages = await reader.all(messagesUntil, { runId: run.id, after: 0, until: run.messageCount })
  if (messages.some(isGone) || steps.some((step) => step.path !== null && hasNoResult(step))) {
    throw new AppError(
      'run.not-replayable',
      `What was said in the run "${run.id}" was not kept (the tenant's capture policy): start a new run instead.`,
    )
  }
  return { steps, messages }
}

function isGone({ content, contentHash }: MessageRow): boolean {
  return content === null && contentHash === null
}

function hasNoResult({ state, output, outputHash }: StepRow): boolean {
  return state === 'done' && output === null && outputHash === null
}

/** What an agent's run did before a step, which must be one where it asked a model anew. */
export function recordBefore(record: RunRecord, seq: number): RunRecord {
  const places = record.steps.filter(({ kind, attempt }) => kind === 'model' && attempt === 1)
  if (!places.some((step) => step.seq === seq)) throw noPlace(seq, places)
  const next = record.messages.findIndex(({ step }) => step !== null && step >= seq)
  return {
    steps: record.steps.filter((step) => step.seq < seq),
    messages: next < 0 ? record.messages : record.messages.slice(0, next),
  }
}

/**
 * What a workflow's run had done before a node: the nodes that began earlier keep what they gave, those that hold the node
 * are open again, and what had not ended is not there: it runs anew, like all that follows.
 */
export function recordBeforeNode(record: RunRecord, seq: number): RunRecord {
  const places = record.steps.filter(
    ({ path, attempt, state }) => path !== null && attempt === 1 && state !== 'skipped',
  )
  const from = places.find((step) => step.seq === seq)
  if (from === undefined) throw noPlace(seq, places)
  const steps: StepRow[] = []
  const earlier = record.steps.filter((step) => step.seq < seq)
  // Of a node that was tried several times, the last attempt.
  const holders = new Map(earlier.filter((step) => holds(step, from)).map((step) => [step.path, step]))
  for (const step of earlier) {
    if (holders.get(step.path) === step) steps.push(openAgain(step))
    else if (ENDED.has(step.state)) steps.push(step)
  }
  return { steps, messages: [] }
}

const ENDED: ReadonlySet<StepRow['state']> = new Set<StepRow['state']>(['done', 'failed', 'skipped'])

/** A node of a block of that node, at any depth: `each` holds `each[3].review`. */
function holds({ path }: StepRow, inner: StepRow): boolean {
  if (path === null || inner.path === null) return false
  return inner.path.startsWith(`${path}.`) || inner.path.startsWith(`${path}[`)
}

function openAgain(step: StepRow): StepRow {
  const nothing = { output: null, outputHash: null, errorCode: null, errorMessage: null, finishedAt: null }
  return { ...step, ...nothing, state: 'intended', waitingReason: null }
}

/** The refusal of a step where a run cannot begin anew: names those where it can. */
function noPlace(seq: number, places: readonly StepRow[]): AppError {
  const named = places.slice(0, NAMED_MAX).map((step) => step.seq)
  const more = places.length > NAMED_MAX ? ', …' : ''
  const allowed = named.length === 0 ? 'it has none' : `take one of ${named.join(', ')}${more}`
  return new AppError(
    'run.not-replayable',
    `A replay of this run cannot begin at step ${seq}: it begins where the run asked a model or ran a node; ${allowed}.`,
  )
}

/** Writes a record as the beginning of a run that was just inserted. */
export async function writeRecord(tx: TenantTransaction, runId: RunId, record: RunRecord): Promise<void> {
  const { steps, messages } = record
  for (const { tenantId: _, ...step } of steps) await tx.run(insertStep, { ...step, runId })
  for (const { seq, step, content, contentHash } of messages)
    await tx.run(insertMessage, { runId, seq, step, content, contentHash })
  await tx.run(setCounts, {
    id: runId,
    steps: steps.at(-1)?.seq ?? 0,
    messages: messages.at(-1)?.seq ?? 0,
    toolCalls: steps.filter(({ kind }) => kind === 'tool' || kind === 'agent').length,
  })
}

const setCounts = statement(
  'replay.set-counts',
  (db, p: Bind<{ id: RunId; steps: number; messages: number; toolCalls: number }>) =>
    db
      .updateTable('runs')
      .set({ stepCount: p.steps, messageCount: p.messages, toolCallCount: p.toolCalls })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id),
)
