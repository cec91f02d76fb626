// `run calls`: the prompt log of a run, one line for each attempt at a model, and what was said in one of them.

import type { Command } from 'commander'
import type { Message } from '../../contract/message.ts'
import {
  type ModelCall,
  type ModelCallDetail,
  modelCall,
  modelCallDetail,
} from '../../contract/model-call.ts'
import type { Act } from '../act.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { showBlock, showDetails } from '../output/details.ts'
import { durationText, fullTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import { addListOptions } from './list-options.ts'

type Parts = NonNullable<ModelCallDetail['response']>

export function addModelCallCommand(group: Command, act: Act): void {
  addListOptions(
    group.command('calls').description('The prompt log of a run: its model calls, and what was said'),
  )
    .argument('<run>', 'the id of the run')
    .option('--show <call>', 'what was sent and received in this call')
    .action(
      act(async (session, id: string, options: ListOptions & { readonly show?: string }) => {
        const client = await session.client()
        if (options.show === undefined) {
          await answerList(session, modelCall, options, (page) => client.listModelCalls(id, page), COLUMNS)
          return
        }
        const found = await client.getModelCall(options.show)
        answer(session, modelCallDetail, found, () => showCall(session, found))
      }),
    )
}

const COLUMNS = [
  { title: 'ID', value: ({ id }: ModelCall) => id, keep: true as const },
  { title: 'STEP', value: ({ step }: ModelCall) => String(step), align: 'right' as const },
  { title: 'TRY', value: ({ attempt }: ModelCall) => String(attempt), align: 'right' as const },
  { title: 'MODEL', value: ({ model }: ModelCall) => model },
  { title: 'STATUS', value: statusText },
  {
    title: 'IN',
    value: ({ usage }: ModelCall) => tokens(usage, inputTokens(usage)),
    align: 'right' as const,
  },
  {
    title: 'OUT',
    value: ({ usage }: ModelCall) => tokens(usage, usage.outputTokens),
    align: 'right' as const,
  },
  { title: 'COST', value: callCost, align: 'right' as const },
  {
    title: 'TIME',
    value: ({ totalMs }: ModelCall) => durationText(totalMs),
    align: 'right' as const,
    optional: true as const,
  },
]

function showCall(session: Session, found: ModelCallDetail): void {
  const { out } = session
  const { usage } = found
  showDetails(out, [
    ['id', found.id],
    ['run', `${found.runId}, step ${found.step}, attempt ${found.attempt}`],
    [
      'model',
      found.responseModel === null ? found.model : `${found.model} (answered by ${found.responseModel})`,
    ],
    ['status', statusText(found)],
    [
      'tokens',
      `${tokens(usage, inputTokens(usage))} in (${usage.cachedInputTokens} cached), ${tokens(usage, usage.outputTokens)} out (${usage.reasoningTokens} reasoning)`,
    ],
    ['cost', callCost(found)],
    ['started', fullTime(found.startedAt, session.now())],
    [
      'time',
      found.firstTokenMs === null
        ? durationText(found.totalMs)
        : `${durationText(found.totalMs)}, first token after ${durationText(found.firstTokenMs)}`,
    ],
    ['kept', found.capture],
  ])
  if (found.request === null) {
    session.note('What was said was not kept: the capture policy of the tenant is "metadata".')
    return
  }
  showBlock(out, 'instructions', found.request.instructions)
  for (const message of found.request.messages) showBlock(out, message.role, messageText(message))
  if (found.response !== null) showBlock(out, 'answer', partsText(found.response))
}

function messageText(message: Message | NonNullable<ModelCallDetail['request']>['messages'][number]): string {
  switch (message.role) {
    case 'user':
      return message.text
    case 'assistant':
      return partsText(message.parts)
    case 'tool':
      return message.results
        .map(
          ({ tool, output }) =>
            `${tool} → ${output.type === 'json' ? JSON.stringify(output.value) : `error: ${output.message}`}`,
        )
        .join('\n')
    default:
      return message satisfies never
  }
}

function partsText(parts: Parts | Extract<Message, { role: 'assistant' }>['parts']): string {
  return parts
    .map((part) => {
      if (part.type === 'text') return part.text
      if (part.type === 'reasoning') return `(reasoning) ${part.text}`
      return `calls ${part.tool} ${'json' in part.arguments ? JSON.stringify(part.arguments.json) : part.arguments.malformed}`
    })
    .join('\n')
}

function statusText({ status, finishReason, failure }: ModelCall): string {
  if (failure !== null) return `${status}: ${failure.kind}`
  return finishReason === null ? status : `${status} (${finishReason})`
}

/** An attempt of unknown usage is not one without tokens. */
function tokens({ state }: ModelCall['usage'], count: number): string {
  return state === 'missing' ? 'unknown' : String(count)
}

function inputTokens({
  inputTokens: fresh,
  cachedInputTokens,
  cacheWriteTokens,
}: ModelCall['usage']): number {
  return fresh + cachedInputTokens + cacheWriteTokens
}

function callCost({ costUsd, costState }: ModelCall): string {
  return costState === 'priced' && costUsd !== null ? `$${costUsd}` : costState.replace('_', ' ')
}
