// What was said in a run. A message is appended once; a tool message names its steps, large texts lie in `bodies`.

import { createHash } from 'node:crypto'
import type { RunId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { TenantReader, TenantTransaction } from '../../storage/database.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'

/** Texts up to this many characters lie in their row, larger ones in `bodies` under their hash. */
const INLINE_CHARS_MAX = 8_192

export interface StoredText {
  readonly inline: string | null
  readonly hash: string | null
}

/** Where a text is to lie. */
export function placeText(text: string): StoredText {
  return text.length <= INLINE_CHARS_MAX ? { inline: text, hash: null } : { inline: null, hash: hashOf(text) }
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Stored again within this time, a text keeps its age: it is large, and nothing as young is ever removed. */
export const BODY_AGE_MS = 3_600_000

/** Stores a text under its hash; the same text is stored once per tenant. One that is stored again is young again. */
export async function putBody(
  tx: TenantTransaction,
  hash: string,
  content: string,
  at: EpochMs,
): Promise<void> {
  const bytes = Buffer.byteLength(content)
  await tx.run(insertBody, { hash, bytes, content, createdAt: at, olderThan: at - BODY_AGE_MS })
}

/** The text that was placed, or null where it was erased or never kept. */
export async function readText(reader: TenantReader, stored: StoredText): Promise<string | null> {
  if (stored.hash === null) return stored.inline
  return (await reader.first(bodyByHash, { hash: stored.hash }))?.content ?? null
}

const insertBody = statement(
  'bodies.insert',
  (db, p: Bind<{ hash: string; bytes: number; content: string; createdAt: EpochMs; olderThan: EpochMs }>) =>
    db
      .insertInto('bodies')
      .values({
        tenantId: p.tenantId,
        hash: p.hash,
        bytes: p.bytes,
        content: p.content,
        createdAt: p.createdAt,
      })
      .onConflict((conflict) =>
        conflict
          .columns(['tenantId', 'hash'])
          .doUpdateSet({ createdAt: p.createdAt })
          .where('bodies.createdAt', '<', p.olderThan),
      ),
)

const bodyByHash = statement('bodies.get', (db, p: Bind<{ hash: string }>) =>
  db.selectFrom('bodies').select('content').where('tenantId', '=', p.tenantId).where('hash', '=', p.hash),
)

export const insertMessage = statement(
  'messages.insert',
  (
    db,
    p: Bind<{
      runId: RunId
      seq: number
      step: number | null
      content: string | null
      contentHash: string | null
    }>,
  ) =>
    db.insertInto('runMessages').values({
      tenantId: p.tenantId,
      runId: p.runId,
      seq: p.seq,
      step: p.step,
      content: p.content,
      contentHash: p.contentHash,
    }),
)

/** The place of the model's first answer: the text that it answers stands before it. */
export const firstAnswer = statement('messages.first-answer', (db, p: Bind<{ runId: RunId }>) =>
  db
    .selectFrom('runMessages')
    .select('seq')
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('step', 'is not', null)
    .orderBy('seq')
    .limit(1),
)

export const messagesUntil = statement(
  'messages.until',
  (db, p: Bind<{ runId: RunId; after: number; until: number }>) =>
    db
      .selectFrom('runMessages')
      .selectAll()
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('seq', '>', p.after)
      .where('seq', '<=', p.until)
      .orderBy('seq'),
)
