// What the offline model says of itself where it has nothing to quote. Pure.

import type { ModelTool } from '../model.ts'
import type { Choice } from './calling/choose-tools.ts'

const TOOLS_NAMED_MAX = 8
const DESCRIPTION_CHARS_MAX = 80

const SELF =
  'I am `offline/extractive`, the built-in model that needs no key and no network. I do not reason: I pick tools by comparing ' +
  'your question with their descriptions, and I answer by quoting what they return.'
const REAL =
  'For a model that reasons, set OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_GENERATIVE_AI_API_KEY or OPENAI_BASE_URL and name a model of it in the agent.'

/** `lacking` is the tool that almost fitted. */
export function introduce(tools: readonly ModelTool[], lacking: Choice['lacking']): string {
  if (lacking !== undefined) {
    return `To use \`${lacking.tool}\` I need ${list(lacking.missing.map((name) => `\`${name}\``))}, and I do not find it in your question. Please say it and ask again.`
  }
  if (tools.length === 0) return `${SELF} This agent has no tools, so I have nothing to quote. ${REAL}`
  const named = tools
    .slice(0, TOOLS_NAMED_MAX)
    .map(({ name, description }) => `- \`${name}\`: ${firstSentence(description)}`)
  const more = tools.length > TOOLS_NAMED_MAX ? [`- and ${tools.length - TOOLS_NAMED_MAX} more`] : []
  return [`${SELF} I found no tool that fits this message. Here I can use:`, ...named, ...more, REAL].join(
    '\n',
  )
}

function firstSentence(description: string): string {
  const first =
    description
      .replace(/\s+/g, ' ')
      .trim()
      .split(/(?<=[.!?])\s/)[0] ?? ''
  return first.length > DESCRIPTION_CHARS_MAX ? `${first.slice(0, DESCRIPTION_CHARS_MAX - 1)}…` : first
}

function list(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`
}
