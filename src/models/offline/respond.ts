// Decides what the offline model does with a conversation: call tools, answer from their results, summarise, or say what it is.
// Pure: the same conversation gives the same response. Each search is asked at most once per question, so it cannot loop.

import { isJsonObject, type JsonObject } from '../../base/json.ts'
import type { AssistantPart, Message, ToolCallPart } from '../../contract/message.ts'
import type { ModelRequest } from '../model.ts'
import { chooseTools, furtherSearches, type ToolCallPlan } from './calling/choose-tools.ts'
import { askFor, introduce } from './introduction.ts'
import { type CalledResult, isUnanswered, queryOf, quoteResults } from './quoting/quote-results.ts'
import { structuredAnswer } from './quoting/structured-answer.ts'
import { type SmallTalk, smallTalk } from './reading/small-talk.ts'
import { contentStems } from './reading/words.ts'
import { summarise } from './summary.ts'

/** A message without tools that is at least so long is a text to summarise and not a question. */
const TEXT_CHARS_MIN = 400

export function respond(request: ModelRequest): readonly AssistantPart[] {
  const at = request.messages.findLastIndex(({ role }) => role === 'user')
  const question = textAt(request.messages, at)
  const results = resultsAfter(request.messages, at)
  if (results.length > 0) {
    const further = furtherCalls(request, results)
    if (further.length > 0) return toCalls(request, further)
    return answer(request, question, quoteResults(question, results), results)
  }
  const said = smallTalk(question)
  if (said !== undefined && (request.tools.length > 0 || said === 'thanks'))
    return answer(request, question, SMALL_TALK[said](request), [])
  if (request.tools.length === 0) return answer(request, question, withoutTools(request, question), [])
  const { calls, lacking } = chooseTools(request.tools, question, earlierQuestion(request.messages, at))
  if (calls.length > 0) return toCalls(request, calls)
  const prose = lacking === undefined ? introduce(request.tools, NO_TOOL) : askFor(lacking)
  return answer(request, question, prose, [])
}

const NO_TOOL = 'I found no tool that fits this message.'
const SMALL_TALK: Readonly<Record<SmallTalk, (request: ModelRequest) => string>> = {
  thanks: () => 'You are welcome.',
  farewell: () => 'Goodbye.',
  greeting: ({ tools }) => introduce(tools, 'Hello.'),
}

function toCalls({ messages }: ModelRequest, calls: readonly ToolCallPlan[]): readonly AssistantPart[] {
  return calls.map(
    ({ tool, arguments: args }, index): ToolCallPart => ({
      type: 'tool_call',
      // Made from its place in the conversation: unique in a run, and the same when the run is replayed.
      callId: `call_${messages.length}_${index}`,
      tool,
      arguments: { json: args },
    }),
  )
}

/** Where a search of documents found no answer, the next search is asked the same. */
function furtherCalls({ tools }: ModelRequest, results: readonly CalledResult[]): readonly ToolCallPlan[] {
  const called = results.map(({ result }) => result.tool)
  return results
    .filter(isUnanswered)
    .flatMap(({ arguments: args }) => queryOf(args) ?? [])
    .filter((query) => contentStems(query).length > 0)
    .flatMap((query) => furtherSearches(tools, query, called))
}

function answer(
  { outputSchema }: ModelRequest,
  question: string,
  prose: string,
  results: readonly CalledResult[],
): readonly AssistantPart[] {
  const text =
    outputSchema === undefined ? prose : structuredAnswer(outputSchema, { question, answer: prose, results })
  return [{ type: 'text', text }]
}

function withoutTools(request: ModelRequest, question: string): string {
  if (question.length >= TEXT_CHARS_MIN) return summarise(question)
  const isAsked = /\bsummar(?:y|ies|i[sz]e)|\bcompact\b|\bcondense\b/i.test(
    `${request.instructions} ${question}`,
  )
  const transcript = isAsked ? transcriptOf(request.messages) : ''
  if (transcript !== '') return summarise(transcript)
  // A text for a form: what it says is quoted into the fields.
  return request.outputSchema === undefined ? introduce([]) : question
}

/** The results of the tools called since the user's last message, with what they were called with. */
function resultsAfter(messages: readonly Message[], at: number): readonly CalledResult[] {
  const calls = new Map<string, JsonObject>()
  const results: CalledResult[] = []
  for (const message of messages.slice(at + 1)) {
    if (message.role === 'assistant') {
      for (const part of message.parts) {
        if (part.type !== 'tool_call' || !('json' in part.arguments)) continue
        if (isJsonObject(part.arguments.json)) calls.set(part.callId, part.arguments.json)
      }
    } else if (message.role === 'tool') {
      for (const result of message.results) results.push({ result, arguments: calls.get(result.callId) })
    }
  }
  return results
}

function textAt(messages: readonly Message[], at: number): string {
  const message = messages[at]
  return message?.role === 'user' ? message.text : ''
}

function earlierQuestion(messages: readonly Message[], at: number): string | undefined {
  const before = messages.slice(0, Math.max(0, at)).findLast(({ role }) => role === 'user')
  return before?.role === 'user' ? before.text : undefined
}

function transcriptOf(messages: readonly Message[]): string {
  const texts = messages.map((message) => {
    if (message.role === 'user') return message.text
    if (message.role === 'assistant')
      return message.parts.map((part) => (part.type === 'text' ? part.text : '')).join(' ')
    return quoteResults(
      '',
      message.results.map((result) => ({ result, arguments: undefined })),
    )
  })
  const text = texts.join('\n\n')
  return text.length >= TEXT_CHARS_MIN ? text : ''
}
