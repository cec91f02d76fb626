// Keys, checked one after another in one process: of many tenants' users, unknown ones, malformed ones.

import { createIdentity } from '../../src/identity/create-identity.ts'
import { newApiKey } from '../../src/identity/key-format.ts'
import { migrate } from '../../src/storage/migrations/migrate.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { answerQuestions } from '../support/answer.ts'
import { type Load, load } from '../support/load.ts'

export interface KeysQuestion {
  readonly kind: 'one' | 'many' | 'unknown' | 'known-unknown' | 'malformed'
  readonly durationMs: number
}

const KEYS = 1_000

await answerQuestions<{ readonly folder: string }, null, KeysQuestion, Load>(async ({ folder }) => {
  const db = await openDatabase(`sqlite:${folder}/keys.db`)
  await migrate(db)
  const identity = createIdentity({ db, clock: Date.now })
  const made = await identity.bootstrap({ tenantName: 'Bench', adminName: 'Bench' })
  if (made === undefined) throw new Error('The data folder of a bench is not empty.')
  const admin = await identity.authenticateKey(made.key)
  const keys = [made.key]
  for (let at = 1; at < KEYS; at++) {
    const created = await identity.createKey(
      admin,
      { name: `key ${at}`, permissions: ['READ_AGENTS'] },
      { requestId: undefined },
    )
    keys.push(created.key)
  }
  const unknown = newApiKey()
  const checkOf: Readonly<Record<KeysQuestion['kind'], (n: number) => Promise<void>>> = {
    one: () => accept(made.key),
    many: (n) => accept(keys[n % KEYS] ?? made.key),
    unknown: () => refuse(newApiKey()),
    'known-unknown': () => refuse(unknown),
    malformed: () => refuse(`${made.key.slice(0, -1)}_`),
  }
  const accept = async (key: string): Promise<void> => {
    await identity.authenticateKey(key)
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
