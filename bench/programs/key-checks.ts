// Keys, checked one after another in one process: known ones, unknown ones, malformed ones.

import { newId } from '../../src/base/ids.ts'
import { insertKey } from '../../src/identity/api-key-store.ts'
import { createIdentity } from '../../src/identity/create-identity.ts'
import type { Bootstrapped } from '../../src/identity/identity.ts'
import { hashApiKey, newApiKey, prefixOf } from '../../src/identity/key-format.ts'
import type { Database } from '../../src/storage/database.ts'
import { migrate } from '../../src/storage/migrations/migrate.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { answerQuestions } from '../support/answer.ts'
import { type Load, load } from '../support/load.ts'

export interface KeysQuestion {
  readonly kind: 'one' | 'many' | 'unknown' | 'known-unknown' | 'malformed'
  readonly durationMs: number
}

/** Near to what the cache holds, which is when it has most to do. */
const KEYS = 9_000

await answerQuestions<{ readonly folder: string }, null, KeysQuestion, Load>(async ({ folder }) => {
  const db = await openDatabase(`sqlite:${folder}/keys.db`)
  await migrate(db)
  const identity = createIdentity({ db, clock: Date.now })
  const made = await identity.bootstrap({ tenantName: 'Bench', adminName: 'Bench' })
  if (made === undefined) throw new Error('The data folder of a bench is not empty.')
  const keys = [made.key, ...Array.from({ length: KEYS - 1 }, () => newApiKey())]
  await insertKeys(db, made, keys.slice(1))
  // A key comes as bytes from a socket: as a text that was not seen before, and whose hash is not known yet.
  const received = keys.map((key) => Buffer.from(key))
  const unknown = newApiKey()
  const checkOf: Readonly<Record<KeysQuestion['kind'], (n: number) => Promise<void>>> = {
    many: (n) => accept(received[n % KEYS]),
    one: () => accept(received[0]),
    unknown: () => refuse(newApiKey()),
    'known-unknown': () => refuse(unknown),
    malformed: () => refuse(`${made.key.slice(0, -1)}_`),
  }
  const accept = async (bytes: Buffer | undefined): Promise<void> => {
    await identity.authenticateKey(bytes?.toString('latin1') ?? '')
  }
  const refuse = async (key: string): Promise<void> => {
    let isKnown = true
    try {
      await identity.authenticateKey(key)
    } catch {
      isKnown = false
    }
    if (isKnown) throw new Error('A wrong key was accepted.')
  }
  return {
    ready: null,
    answer: ({ kind, durationMs }) => load(checkOf[kind], { concurrency: 1, durationMs }),
    close: async () => {
      await identity[Symbol.asyncDispose]()
      await db[Symbol.asyncDispose]()
    },
  }
})

/** Past the use case, which allows a tenant fewer. */
async function insertKeys(
  db: Database,
  { tenantId, userId }: Bootstrapped,
  keys: readonly string[],
): Promise<void> {
  const createdAt = Date.now()
  const row = { name: 'bench', permissions: '["READ_AGENTS"]', ownerId: userId, createdAt, expiresAt: null }
  await db.tenant(tenantId).write(async (tx) => {
    for (const key of keys) {
      await tx.run(insertKey, { ...row, id: newId('apiKey'), hash: hashApiKey(key), prefix: prefixOf(key) })
    }
  })
}
