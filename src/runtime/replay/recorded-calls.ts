// The record of a replay: which call of the run that is replayed stands for a call of the run that replays it.

import type { RunId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { TenantReader } from '../../storage/database.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'
import { stableKey } from '../agent/stable-key.ts'
import { readText } from '../journal/message-store.ts'
import type { RunRow } from '../journal/run-store.ts'
import type { StepRow } from '../journal/step-store.ts'
import { replayChangesOf } from './replay-changes.ts'

/**
 * The recorded step for a step: the n-th call of a name with the same arguments stands for the n-th one. In a workflow
 * only calls of the same node, in the same pass, are looked at. Undefined where the record has none.
 */
export async function recordedCall(
  reader: TenantReader,
  run: Pick<RunRow, 'id' | 'replayOf' | 'replayChanges'>,
  seq: number,
): Promise<StepRow | undefined> {
  const { id, replayOf } = run
  if (replayOf === null || replayChangesOf(run)?.counterpart === 'none') return undefined
  const own = await reader.first(callBySeq, { runId: id, seq })
  if (own === undefined) return undefined
  const key = await keyOf(reader, own)
  const mine = await sameCalls(reader, id, own, key)
  const place = mine.findIndex((step) => step.seq === seq)
  return (await sameCalls(reader, replayOf, own, key))[place]
}

async function sameCalls(
  reader: TenantReader,
  runId: RunId,
  { name, path }: Pick<StepRow, 'name' | 'path'>,
  key: string,
): Promise<readonly StepRow[]> {
  const same: StepRow[] = []
  const steps =
    path === null
      ? await reader.all(callsNamed, { runId, name })
      : await reader.all(callsAt, { runId, name, path })
  for (const step of steps) {
    if (step.path === path && (await keyOf(reader, step)) === key) same.push(step)
  }
  return same
}

async function keyOf(reader: TenantReader, step: StepRow): Promise<string> {
  const text = await readText(reader, { inline: step.input, hash: step.inputHash })
  return stableKey(step.name, JSON.parse(text ?? 'null') as Json)
}

const callBySeq = statement('replay.call', (db, p: Bind<{ runId: RunId; seq: number }>) =>
  db
    .selectFrom('steps')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('seq', '=', p.seq),
)

/** The calls of tools, agents and workflows by that name, in order. */
const callsNamed = statement('replay.calls-named', (db, p: Bind<{ runId: RunId; name: string }>) =>
  db
    .selectFrom('steps')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('name', '=', p.name)
    .where('kind', 'in', ['tool', 'agent', 'workflow'])
    .orderBy('seq'),
)

/** Those of one node in one pass: of a node in a loop, the other passes are not read. */
const callsAt = statement('replay.calls-at', (db, p: Bind<{ runId: RunId; name: string; path: string }>) =>
  db
    .selectFrom('steps')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('name', '=', p.name)
    .where('path', '=', p.path)
    .where('kind', 'in', ['tool', 'agent', 'workflow'])
    .orderBy('seq'),
)
