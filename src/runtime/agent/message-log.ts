// The run's messages: appended to the journal as they are said, read back when a run is resumed or looked at.

import type { RunId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { Message, ToolResult } from '../../contract/message.ts'
import type { TenantReader } from '../../storage/database.ts'
import {
  insertMessage,
  messagesUntil,
  placeText,
  putBody,
  readText,
  type StoredText,
} from '../journal/message-store.ts'
import type { StepRow } from '../journal/step-store.ts'
import type { DrivenRun, RunContext } from './context.ts'

/** How a message lies in its row: a tool message names the steps whose results it carries. */
type StoredMessage =
  | Exclude<Message, { role: 'tool' }>
  | { readonly role: 'tool'; readonly steps: readonly number[] }

/** Appends a message to the run, with the next flush. Answers its place. */
export function say(
  ctx: RunContext,
  message: Exclude<Message, { role: 'tool' }>,
  step: number | null,
): number {
  ctx.messages.push(message)
  return append(ctx, message, step)
}

/** Appends the results of a turn's calls; they are stored once, with their steps. */
export function sayResults(
  ctx: RunContext,
  results: readonly (ToolResult & { readonly step: number })[],
): number {
  ctx.messages.push({
    role: 'tool',
    results: results.map(({ callId, tool, output }) => ({ callId, tool, output })),
  })
  return append(ctx, { role: 'tool', steps: results.map(({ step }) => step) }, null)
}

function append(ctx: RunContext, message: StoredMessage, step: number | null): number {
  const seq = ctx.journal.nextMessage()
  const stored = keep(ctx, JSON.stringify(message))
  ctx.journal.add(
    (tx) =>
      tx.run(insertMessage, {
        runId: ctx.run.id,
        seq,
        step,
        content: stored.inline,
        contentHash: stored.hash,
      }),
    { messages: 1 },
  )
  return seq
}

/** Places a text; a large one is put into `bodies` with the next flush, unless the policy will take it away at the end. */
export function keep(ctx: Pick<DrivenRun, 'capture' | 'journal' | 'deps'>, text: string): StoredText {
  if (ctx.capture !== 'full') return { inline: text, hash: null }
  const placed = placeText(text)
  const { hash } = placed
  if (hash !== null) ctx.journal.add((tx) => putBody(tx, hash, text, ctx.deps.clock()))
  return placed
}

/** The messages of a run up to a place; `undefined` where what was said was not kept. */
export async function readMessages(
  reader: TenantReader,
  runId: RunId,
  until: number,
  stepBySeq: (seq: number) => Promise<StepRow | undefined>,
): Promise<readonly Message[] | undefined> {
  const rows = await reader.all(messagesUntil, { runId, after: 0, until })
  const messages: Message[] = []
  for (const row of rows) {
    const text = await readText(reader, { inline: row.content, hash: row.contentHash })
    if (text === null) return undefined
    const stored = JSON.parse(text) as StoredMessage
    if (stored.role !== 'tool') {
      messages.push(stored)
      continue
    }
    const results: ToolResult[] = []
    for (const seq of stored.steps) {
      const step = await stepBySeq(seq)
      if (step !== undefined)
        results.push({ callId: step.callId ?? '', tool: step.name, output: await stepOutput(reader, step) })
    }
    messages.push({ role: 'tool', results })
  }
  return messages
}

/** What a tool step says to the model. */
export async function stepOutput(reader: TenantReader, step: StepRow): Promise<ToolResult['output']> {
  if (step.state !== 'done') return { type: 'error', message: step.errorMessage ?? 'The call failed.' }
  const text = await readText(reader, { inline: step.output, hash: step.outputHash })
  return { type: 'json', value: text === null ? null : (JSON.parse(text) as Json) }
}
