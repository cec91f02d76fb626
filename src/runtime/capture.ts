// The capture policy: what the prompt log keeps of a run once it has ended. While a run lives it needs its own words.

import type { ApprovalId, ModelCallId, RunId } from '../base/ids.ts'
import type { TenantTransaction } from '../storage/database.ts'
import type { Bind } from '../storage/statement.ts'
import { statement } from '../storage/statement.ts'
import type { CapturePolicy } from './agent/context.ts'
import { redact } from './redact.ts'

/** Takes away, or blackens, what was said, in the transaction that ends the run. The run's own input and output stay. */
export async function applyCapture(
  tx: TenantTransaction,
  runId: RunId,
  policy: CapturePolicy,
): Promise<void> {
  switch (policy) {
    case 'full':
      return
    case 'metadata':
      await tx.run(dropMessages, { runId })
      await tx.run(dropSteps, { runId })
      await tx.run(dropArguments, { runId })
      await tx.run(markCalls, { runId, capture: 'metadata' })
      await tx.run(dropResponses, { runId })
      return
    case 'redacted':
      for (const { seq, content } of await tx.all(messageTexts, { runId })) {
        if (content !== null) await tx.run(rewriteMessage, { runId, seq, content: redact(content) })
      }
      for (const { seq, input, output } of await tx.all(stepTexts, { runId })) {
        await tx.run(rewriteStep, { runId, seq, input: redactOrNull(input), output: redactOrNull(output) })
      }
      for (const { id, asked } of await tx.all(askedTexts, { runId })) {
        await tx.run(rewriteArguments, { id, asked: redact(asked) })
      }
      for (const { id, response } of await tx.all(responseTexts, { runId })) {
        if (response !== null) await tx.run(rewriteResponse, { id, response: redact(response) })
      }
      await tx.run(markCalls, { runId, capture: 'redacted' })
      return
    default:
      return policy satisfies never
  }
}

function redactOrNull(text: string | null): string | null {
  return text === null ? null : redact(text)
}

type OfRun = Bind<{ runId: RunId }>

const dropMessages = statement('capture.drop-messages', (db, p: OfRun) =>
  db
    .updateTable('runMessages')
    .set({ content: null, contentHash: null })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)
const dropSteps = statement('capture.drop-steps', (db, p: OfRun) =>
  db
    .updateTable('steps')
    .set({ input: null, inputHash: null, output: null, outputHash: null })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)
const dropResponses = statement('capture.drop-responses', (db, p: OfRun) =>
  db
    .updateTable('modelCalls')
    .set({ response: null })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)
/** What a person was asked about; the answer is bound to the hash, which stays. */
const dropArguments = statement('capture.drop-arguments', (db, p: OfRun) =>
  db
    .updateTable('approvals')
    .set({ arguments: 'null' })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)
const markCalls = statement(
  'capture.mark-calls',
  (db, p: Bind<{ runId: RunId; capture: 'redacted' | 'metadata' }>) =>
    db
      .updateTable('modelCalls')
      .set({ capture: p.capture })
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId),
)
const messageTexts = statement('capture.messages', (db, p: OfRun) =>
  db
    .selectFrom('runMessages')
    .select(['seq', 'content'])
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)
const stepTexts = statement('capture.steps', (db, p: OfRun) =>
  db
    .selectFrom('steps')
    .select(['seq', 'input', 'output'])
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)
const askedTexts = statement('capture.arguments', (db, p: OfRun) =>
  db
    .selectFrom('approvals')
    .select(['id', 'arguments as asked'])
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)
const responseTexts = statement('capture.responses', (db, p: OfRun) =>
  db
    .selectFrom('modelCalls')
    .select(['id', 'response'])
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)
const rewriteMessage = statement(
  'capture.rewrite-message',
  (db, p: Bind<{ runId: RunId; seq: number; content: string }>) =>
    db
      .updateTable('runMessages')
      .set({ content: p.content })
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('seq', '=', p.seq),
)
const rewriteStep = statement(
  'capture.rewrite-step',
  (db, p: Bind<{ runId: RunId; seq: number; input: string | null; output: string | null }>) =>
    db
      .updateTable('steps')
      .set({ input: p.input, output: p.output })
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('seq', '=', p.seq),
)
const rewriteArguments = statement(
  'capture.rewrite-arguments',
  (db, p: Bind<{ id: ApprovalId; asked: string }>) =>
    db
      .updateTable('approvals')
      .set({ arguments: p.asked })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id),
)
const rewriteResponse = statement(
  'capture.rewrite-response',
  (db, p: Bind<{ id: ModelCallId; response: string }>) =>
    db
      .updateTable('modelCalls')
      .set({ response: p.response })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id),
)
