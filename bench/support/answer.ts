// The child's side of a program: opens what is measured, says that it is ready, and answers until its parent lets go.

import { type Profiler, Session } from 'node:inspector/promises'
import { type SqliteCounts, startCounting } from './sqlite-counter.ts'

/** What a program opens: its first word, and how it answers. */
export interface Opened<R, Q, A> {
  readonly ready: R
  readonly answer: (question: Q) => Promise<A>
  readonly close?: () => Promise<void>
}

export type Asked =
  | { readonly type: 'ask'; readonly question: unknown }
  | { readonly type: 'usage' }
  | { readonly type: 'count-start' }
  | { readonly type: 'count-stop' }
  | { readonly type: 'profile-start' }
  | { readonly type: 'profile-stop' }

export type Replied =
  | { readonly status: 'done'; readonly value: unknown }
  | { readonly status: 'failed'; readonly error: string }

const SAMPLE_US = 200

export async function answerQuestions<I, R, Q, A>(
  open: (input: I) => Promise<Opened<R, Q, A>>,
): Promise<void> {
  const inspected = new Session()
  // Until the parent lets go: also where opening takes long.
  const gone = new Promise<void>((resolve) => process.once('disconnect', resolve))
  const opened = await open(JSON.parse(process.argv[2] ?? '{}') as I)
  let stopCounting: (() => SqliteCounts) | undefined
  const replyTo = async (asked: Asked): Promise<unknown> => {
    switch (asked.type) {
      case 'ask':
        return opened.answer(asked.question as Q)
      case 'usage': {
        const { user, system } = process.cpuUsage()
        return { cpuMs: (user + system) / 1_000, rssBytes: process.memoryUsage.rss() }
      }
      case 'count-start':
        stopCounting = startCounting()
        return undefined
      case 'count-stop':
        return stopCounting?.()
      case 'profile-start':
        return startProfile(inspected)
      case 'profile-stop':
        return stopProfile(inspected)
      default:
        return asked satisfies never
    }
  }
  process.on('message', (asked: Asked) => {
    replyTo(asked).then(
      (value) => reply({ status: 'done', value }),
      (error: unknown) => reply({ status: 'failed', error: textOf(error) }),
    )
  })
  reply({ status: 'done', value: opened.ready })
  await gone
  await opened.close?.()
}

async function startProfile(session: Session): Promise<void> {
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US })
  await session.post('Profiler.start')
}

async function stopProfile(session: Session): Promise<Profiler.Profile> {
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  return profile
}

function reply(message: Replied): void {
  if (process.connected) process.send?.(message)
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
