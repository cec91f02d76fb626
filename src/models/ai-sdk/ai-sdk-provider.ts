// A model provider over the AI SDK: one attempt, streamed, with three time limits. It owns the way from our request to the
// SDK's and back, and never retries (the SDK's own retries live in generateText, which is not used), stores or prices.
// The registry makes it; the runtime calls it.

import type { LanguageModelV4 } from '@ai-sdk/provider'
import type { ModelUsage } from '../../contract/usage.ts'
import { type Expired, expiredMessage, startDeadline } from '../deadline.ts'
import {
  type Classified,
  classifyFailure,
  type FailureContext,
  malformed,
  streamCut,
} from '../failures/classify-failure.ts'
import type { ModelOutcome, ModelProvider, ModelRequest } from '../model.ts'
import { modelIdOf } from '../model-name.ts'
import { toCallOptions } from './call-options.ts'
import { finishReasonOf } from './finish.ts'
import type { Protocol } from './protocol.ts'
import { createStreamReading, type StreamReading } from './stream-reader.ts'
import { usageFrom } from './usage.ts'

export interface AiSdkProviderOptions {
  readonly name: string
  readonly protocol: Protocol
  /** The SDK's model of that id. It makes no request. */
  readonly languageModel: (modelId: string) => LanguageModelV4
  /** Values that must never appear in a message. */
  readonly secrets: readonly string[]
}

/** Why we stopped an attempt ourselves. */
type Stopped = { readonly by: 'caller' } | { readonly by: 'deadline'; readonly expired: Expired }

export function createAiSdkProvider(options: AiSdkProviderOptions): ModelProvider {
  return { name: options.name, call: (request, signal) => call(options, request, signal) }
}

async function call(
  options: AiSdkProviderOptions,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<ModelOutcome> {
  const startedAt = performance.now()
  if (signal.aborted) return cancelledBeforeStart()
  let stopped: Stopped | undefined
  const abort = new AbortController()
  const stop = (reason: Stopped): void => {
    stopped ??= reason
    abort.abort()
  }
  const onCallerAbort = (): void => stop({ by: 'caller' })
  signal.addEventListener('abort', onCallerAbort, { once: true })
  const deadline = startDeadline(request.timeouts, (expired) => stop({ by: 'deadline', expired }))
  const reading = createStreamReading(options.protocol, deadline, request.onDelta)
  let contentType: string | undefined
  let thrown: unknown
  try {
    const aborted = rejectOnAbort(abort.signal)
    const model = options.languageModel(modelIdOf(request.model))
    const opening = model.doStream(toCallOptions(request, options.protocol, abort.signal))
    const { stream, response } = await Promise.race([opening, aborted])
    contentType = response?.headers?.['content-type']
    await reading.read(stream, aborted)
  } catch (error) {
    thrown = error
  } finally {
    deadline.stop()
    signal.removeEventListener('abort', onCallerAbort)
  }
  const timing = timingOf(reading, startedAt)
  const ended =
    stopped === undefined ? endOf(options, reading, thrown, contentType) : stopOf(options, request, stopped)
  if (ended.status === 'failed') {
    const usage: ModelUsage =
      ended.billed === 'none' ? { state: 'none' } : usageFrom(options.protocol, reading.told())
    return { status: 'failed', failure: ended.failure, partial: reading.parts(), usage, timing }
  }
  const { responseId, responseModel } = identityOf(reading)
  return {
    status: 'answered',
    parts: reading.parts(),
    finishReason: ended.finishReason,
    usage: usageFrom(options.protocol, reading.told()),
    timing,
    ...(responseId === undefined ? {} : { responseId }),
    ...(responseModel === undefined ? {} : { responseModel }),
  }
}

type End =
  | ({ readonly status: 'failed' } & Classified)
  | {
      readonly status: 'answered'
      readonly finishReason: Extract<ModelOutcome, { status: 'answered' }>['finishReason']
    }

function endOf(
  { name, secrets }: AiSdkProviderOptions,
  reading: StreamReading,
  thrown: unknown,
  contentType: string | undefined,
): End {
  const begun = reading.firstContentAt() !== undefined || reading.told() !== undefined
  const context: FailureContext = { provider: name, secrets, begun, nowMs: Date.now() }
  const error = thrown ?? reading.error()
  if (thrown === undefined && !begun && isNoStream(contentType))
    return { status: 'failed', ...malformed(context) }
  if (error !== undefined) return { status: 'failed', ...classifyFailure(error, context) }
  const parts = reading.parts()
  const finish = reading.finish()
  const finishReason = finish === undefined ? 'cut' : finishReasonOf(finish, parts)
  if (finishReason === 'cut') return { status: 'failed', ...streamCut(context) }
  // The provider ended its answer and calls it broken, e.g. Google's MALFORMED_FUNCTION_CALL.
  if (finishReason === 'error') return { status: 'failed', ...malformed(context) }
  const isEmpty = !parts.some(
    (part) => part.type === 'tool_call' || (part.type === 'text' && part.text !== ''),
  )
  if (isEmpty && (finishReason === 'stop' || finishReason === 'other')) {
    return {
      status: 'failed',
      failure: { kind: 'empty', message: `${name} answered with nothing.` },
      billed: 'maybe',
    }
  }
  return { status: 'answered', finishReason }
}

/** A web page or a plain JSON document where a stream should be: wrong address, or a server that cannot stream. */
function isNoStream(contentType: string | undefined): boolean {
  return contentType !== undefined && /text\/html|application\/json|text\/plain/i.test(contentType)
}

function stopOf({ name }: AiSdkProviderOptions, request: ModelRequest, stopped: Stopped): End {
  if (stopped.by === 'caller') {
    return {
      status: 'failed',
      failure: { kind: 'cancelled', message: 'The call was cancelled.' },
      billed: 'maybe',
    }
  }
  const message = expiredMessage(name, stopped.expired, request.timeouts)
  return { status: 'failed', failure: { kind: 'timeout', message }, billed: 'maybe' }
}

function cancelledBeforeStart(): ModelOutcome {
  const failure = { kind: 'cancelled', message: 'The call was cancelled before it began.' } as const
  const timing = { firstTokenMs: undefined, totalMs: 0 }
  return { status: 'failed', failure, partial: [], usage: { state: 'none' }, timing }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  // Nobody may be waiting for it when the call has ended already.
  aborted.catch(() => undefined)
  return aborted
}

function timingOf(
  reading: StreamReading,
  startedAt: number,
): { firstTokenMs: number | undefined; totalMs: number } {
  const first = reading.firstContentAt()
  const firstTokenMs = first === undefined ? undefined : Math.round(first - startedAt)
  return { firstTokenMs, totalMs: Math.round(performance.now() - startedAt) }
}

function identityOf(reading: StreamReading): {
  responseId: string | undefined
  responseModel: string | undefined
} {
  return { responseId: reading.responseId(), responseModel: reading.responseModel() }
}
