// What a session said before: its turns become the run's first messages; once they grow long, the older ones are summarised.

import type { SessionId } from '../../base/ids.ts'
import { assistantText, type Message } from '../../contract/message.ts'
import { hashOf } from '../journal/message-store.ts'
import { sessionById, setSummary, type TurnRow, turnsAfter } from '../session-store.ts'
import type { RunContext } from './context.ts'
import { askModel } from './model-turn.ts'

export const HISTORY_TOKENS_DEFAULT = 16_000
/** A rough measure that needs no tokenizer: English has about four characters to a token. */
const CHARS_PER_TOKEN = 4
const TURNS_PAGE = 200
const SUMMARY_TOKENS_MAX = 1_000

const INSTRUCTIONS = `You keep the memory of a conversation between a user and an assistant.
Write a summary that lets the assistant go on as if it remembered everything that matters:
facts, names, numbers, decisions, open questions, the user's wishes. No introduction, no judgement.`

/** The messages that come before the user's new text. May call the model once, to compact. */
export async function recall(ctx: RunContext, sessionId: SessionId): Promise<readonly Message[]> {
  const session = await ctx.db.read((reader) => reader.first(sessionById, { id: sessionId }))
  if (session === undefined) return []
  let { summary } = session
  let turns = await readTurns(ctx, sessionId, session.summaryUntil)
  const limit = ctx.plan.definition.maxHistoryTokens ?? HISTORY_TOKENS_DEFAULT
  if (tokens(turns) + estimate(summary ?? '') > limit && turns.length > 1) {
    const kept = newest(turns, limit / 2)
    const old = turns.slice(0, turns.length - kept.length)
    summary = await summarise(ctx, summary, old)
    const summaryUntil = old.at(-1)?.seq ?? session.summaryUntil
    const at = ctx.deps.clock()
    const text = summary
    ctx.journal.add((tx) =>
      tx.run(setSummary, { id: sessionId, runId: ctx.run.id, summary: text, summaryUntil, at }),
    )
    ctx.journal.event('session.compacted', { session_id: sessionId, turns: old.length })
    await ctx.journal.flush()
    turns = kept
  }
  const messages: Message[] = []
  if (summary !== null) messages.push({ role: 'user', text: `What we said before, in short:\n${summary}` })
  for (const turn of turns) {
    messages.push({ role: 'user', text: turn.input })
    messages.push({ role: 'assistant', parts: [{ type: 'text', text: turn.output }] })
  }
  return messages
}

async function readTurns(ctx: RunContext, sessionId: SessionId, after: number): Promise<readonly TurnRow[]> {
  const turns: TurnRow[] = []
  for (let last = after; ; ) {
    const page = await ctx.db.read((reader) =>
      reader.all(turnsAfter, { sessionId, after: last, limit: TURNS_PAGE }),
    )
    turns.push(...page)
    const end = page.at(-1)
    if (end === undefined || page.length < TURNS_PAGE) return turns
    last = end.seq
  }
}

/** The newest turns that fit, at least one. */
function newest(turns: readonly TurnRow[], limit: number): readonly TurnRow[] {
  let sum = 0
  let from = turns.length
  while (from > 0) {
    const turn = turns[from - 1]
    sum += turn === undefined ? 0 : tokens([turn])
    if (sum > limit && from < turns.length) break
    from -= 1
  }
  return turns.slice(Math.max(from, 1))
}

async function summarise(ctx: RunContext, before: string | null, old: readonly TurnRow[]): Promise<string> {
  const said = old.map((turn) => `User: ${turn.input}\nAssistant: ${turn.output}`).join('\n\n')
  const text = before === null ? said : `Summary so far:\n${before}\n\nThen:\n${said}`
  const messages: readonly Message[] = [{ role: 'user', text }]
  const settings = { maxOutputTokens: SUMMARY_TOKENS_MAX }
  // Under a policy that keeps less, the conversation does not go into the log a second time.
  const logged = ctx.capture === 'full' ? messages : null
  const content = JSON.stringify({
    instructions: INSTRUCTIONS,
    tools: [],
    settings,
    outputSchema: null,
    messages: logged,
  })
  const answer = await askModel(ctx, {
    kind: 'compaction',
    request: { instructions: INSTRUCTIONS, messages, tools: [], settings, timeouts: ctx.plan.timeouts },
    head: { hash: hashOf(content), content },
    messagesUntil: 0,
  })
  return assistantText(answer.parts)
}

function tokens(turns: readonly TurnRow[]): number {
  let sum = 0
  for (const turn of turns) sum += estimate(turn.input) + estimate(turn.output)
  return sum
}

function estimate(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN)
}
