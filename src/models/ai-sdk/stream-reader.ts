// Reads one stream of the SDK to its end: parts, usage, the end or what went wrong. It decides nothing about failures.

import type { LanguageModelV4FinishReason, LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { isJsonObject } from '../../base/json.ts'
import type { AssistantPart } from '../../contract/message.ts'
import type { Deadline } from '../deadline.ts'
import type { ModelDelta } from '../model.ts'
import { createPartAssembly } from './part-assembly.ts'
import type { Protocol } from './protocol.ts'
import { type ToldUsage, toldBy } from './usage.ts'

export interface StreamReading {
  /** Reads until the end. Rejects with what the stream rejects with; what was read until then can be asked for. */
  read(stream: ReadableStream<LanguageModelV4StreamPart>, aborted: Promise<never>): Promise<void>
  parts(): readonly AssistantPart[]
  told(): ToldUsage | undefined
  finish(): LanguageModelV4FinishReason | undefined
  /** The first error inside the stream. Reading goes on after it, because usage may still come. */
  error(): unknown
  firstContentAt(): number | undefined
  responseId(): string | undefined
  responseModel(): string | undefined
}

export function createStreamReading(
  protocol: Protocol,
  deadline: Deadline,
  onDelta: ((delta: ModelDelta) => void) | undefined,
): StreamReading {
  const assembly = createPartAssembly(onDelta)
  let told: ToldUsage | undefined
  let finish: LanguageModelV4FinishReason | undefined
  let error: unknown
  let firstContentAt: number | undefined
  let responseId: string | undefined
  let responseModel: string | undefined

  const take = (part: LanguageModelV4StreamPart): void => {
    // Pings and bookkeeping events keep the connection alive too: only silence counts as stopped.
    deadline.chunk()
    if (assembly.take(part)) {
      firstContentAt ??= performance.now()
      deadline.content()
      return
    }
    if (part.type === 'raw') {
      told = toldBy(protocol, part.rawValue, told)
      responseModel ??= googleModel(part.rawValue)
    } else if (part.type === 'response-metadata') {
      responseId = part.id ?? responseId
      responseModel = part.modelId ?? responseModel
    } else if (part.type === 'finish') {
      finish = part.finishReason
    } else if (part.type === 'error') {
      error ??= part.error
    }
  }

  return {
    read: async (stream, aborted) => {
      const reader = stream.getReader()
      try {
        for (;;) {
          // Raced, because not every provider package passes an abort on to a read that is waiting.
          const next = await Promise.race([reader.read(), aborted])
          if (next.done) return
          take(next.value)
        }
      } finally {
        reader.cancel().catch(() => undefined)
      }
    },
    parts: () => assembly.parts(),
    told: () => told,
    finish: () => finish,
    error: () => error,
    firstContentAt: () => firstContentAt,
    responseId: () => responseId,
    responseModel: () => responseModel,
  }
}

/** The SDK passes on every provider's model name but Google's. */
function googleModel(chunk: unknown): string | undefined {
  return isJsonObject(chunk) && typeof chunk.modelVersion === 'string' ? chunk.modelVersion : undefined
}
