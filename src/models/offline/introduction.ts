// What the offline model says of itself where it has nothing to quote. Pure.

import type { ModelTool } from '../model.ts'
import type { Lacking } from './calling/choose-tools.ts'

const TOOLS_NAMED_MAX = 8
const DESCRIPTION_CHARS_MAX = 100

const SELF =
  'I am `offline/extractive`, the built-in model that needs no key and no network. I do not reason: I pick tools by comparing ' +
  'your question with their descriptions, and I answer by quoting what they return.'
const REAL =
  'For a model that reasons, set OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_GENERATIVE_AI_API_KEY or OPENAI_BASE_URL and name a model of it in the agent.'

/** `reason` says why there is an introduction instead of an answer, e.g. that no tool fits. */
export function introduce(tools: readonly ModelTool[], reason = ''): string {
  if (tools.length === 0) return `${SELF} This agent has no tools, so I have nothing to quote. ${REAL}`
  const named = tools
    .slice(0, TOOLS_NAMED_MAX)
    .map(({ name, description }) => `- \`${name}\`: ${firstSentence(description)}`)
  const more = tools.length > TOOLS_NAMED_MAX ? [`- and ${tools.length - TOOLS_NAMED_MAX} more`] : []
  const lead = reason === '' ? SELF : `${reason} ${SELF}`
  return [`${lead} Here I can use:`, ...named, ...more, REAL].join('\n')
}

/** Asks for what the tool that fits cannot do without. */
export function askFor({ tool, missing }: Lacking): string {
  return `To use \`${tool}\` I need ${list(missing)}, and I do not find it in your question. Please say it and ask again.`
}

function firstSentence(description: string): string {
  const plain = description.replace(/\s+/g, ' ').trim()
  const first = plain.split(/(?<=[.!?])(?<!\b(?:e\.g|i\.e|etc)\.)\s/)[0] ?? ''
  if (first.length <= DESCRIPTION_CHARS_MAX) return first
  const cut = first.slice(0, DESCRIPTION_CHARS_MAX)
  return `${cut.slice(0, cut.lastIndexOf(' ')).replace(/[\s,;:]+$/, '')} …`
}

function list(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`
}
