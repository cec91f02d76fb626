// What a tool answered, made safe for a run: JSON of a bounded size, in the shape that the tool promised.

import type { ErrorCode } from '../../base/errors.ts'
import { type Json, withoutNul } from '../../base/json.ts'
import { TOOL_OUTPUT_BYTES_MAX } from '../../base/limits.ts'
import type { ToolBinding } from './tool-binding.ts'

export type ToolOutput =
  | { readonly status: 'done'; readonly output: Json; readonly untrusted: boolean }
  | { readonly status: 'failed'; readonly code: ErrorCode; readonly message: string }

export function checkToolOutput(tool: ToolBinding, value: unknown): ToolOutput {
  let text: string
  try {
    text = JSON.stringify(value) ?? 'null'
  } catch (error) {
    return {
      status: 'failed',
      code: 'tool.output-invalid',
      message: `The tool's answer is not JSON: ${oneLine(error)}`,
    }
  }
  const bytes = text.length > TOOL_OUTPUT_BYTES_MAX ? text.length : Buffer.byteLength(text)
  if (bytes > TOOL_OUTPUT_BYTES_MAX) {
    const message = `The tool answered ${bytes} bytes of JSON; at most ${TOOL_OUTPUT_BYTES_MAX} enter a run. Ask for less.`
    return { status: 'failed', code: 'tool.output-too-large', message }
  }
  const output = JSON.parse(text) as Json
  const wrong = tool.checkOutput(output)
  if (wrong.length === 0) return { status: 'done', output, untrusted: tool.untrusted }
  const list = wrong.slice(0, 3).map(({ path, message }) => `${path || '(whole)'}: ${message}`)
  return {
    status: 'failed',
    code: 'tool.output-invalid',
    message: `The tool was called, and its answer has the wrong shape. ${list.join('; ')}`,
  }
}

/** One line of a failure of foreign code. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return withoutNul(text).replace(/\s+/g, ' ').slice(0, 300)
}
