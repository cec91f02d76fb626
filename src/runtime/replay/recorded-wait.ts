// Nodes of a workflow that wait, in a replay: the record says what a person answered, what an event brought, and that the
// time was over. Nobody is asked again, and no event is taken from somebody else.

import type { ErrorCode } from '../../base/errors.ts'
import type { RunId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { TenantDatabase } from '../../storage/database.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'
import { RecordedFailure } from '../agent/tool-binding.ts'
import { readText } from '../journal/message-store.ts'
import type { RunRow } from '../journal/run-store.ts'
import { replayChangesOf } from './replay-changes.ts'

/**
 * What the recorded wait at that place gave. Undefined where the run waits itself: it replays nothing, or replays live,
 * or only a time is to pass that the record does not know. Throws what the recorded wait failed of.
 */
export async function recordedWait(
  db: TenantDatabase,
  run: RunRow,
  path: string,
  reason: 'time' | 'event' | 'approval',
): Promise<{ readonly output: Json } | undefined> {
  const { replayOf } = run
  const changes = replayChangesOf(run)
  if (replayOf === null || changes?.tools !== 'recorded') return undefined
  const { step, output } = await db.read(async (reader) => {
    const found =
      changes.counterpart === 'none' ? undefined : await reader.first(lastAtPath, { runId: replayOf, path })
    const text = found && (await readText(reader, { inline: found.output, hash: found.outputHash }))
    return { step: found, output: text }
  })
  if (step?.state === 'done') return { output: JSON.parse(output ?? 'null') as Json }
  if (step?.state === 'failed')
    throw new RecordedFailure(
      (step.errorCode ?? 'node.failed') as ErrorCode,
      step.errorMessage ?? 'It failed.',
    )
  if (reason === 'time') return undefined
  throw new RecordedFailure(
    'node.failed',
    `Node "${path}": this run replays another one, which has no answer here; a replay asks nobody and takes no event.`,
  )
}

const lastAtPath = statement('replay.last-at-path', (db, p: Bind<{ runId: RunId; path: string }>) =>
  db
    .selectFrom('steps')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('path', '=', p.path)
    .orderBy('seq', 'desc')
    .limit(1),
)
