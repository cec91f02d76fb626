// The built-in tool `search_documents`: finds and quotes passages of the collections that the operator has set up.
// Reads files below the collections' folders and nothing else; writes nothing.

import { AppError } from '../../../base/errors.ts'
import type { JsonObject } from '../../../base/json.ts'
import type { BuiltinTool } from '../builtin-tool.ts'
import { objectInput, textOf } from '../input.ts'
import { createDocumentIndex, type DocumentIndex, type Hit } from './document-index.ts'
import { snippetOf } from './document-snippet.ts'

const RESULTS_MAX = 20
const RESULTS_DEFAULT = 5
const QUERY_CHARS_MAX = 500

export interface DocumentSearchOptions {
  /** The absolute folder of each collection. */
  readonly collections: Readonly<Record<string, string>>
  /** A clock in milliseconds for the look at changed files; the process's own when left out. */
  readonly now?: () => number
}

/**
 * `untrusted` is false: the operator chose the folders. Who puts texts of strangers into one says so in the
 * definition of the tool.
 */
export function createDocumentSearch(options: DocumentSearchOptions): BuiltinTool {
  const indexes = new Map<string, DocumentIndex>()
  const indexOf = (name: string): DocumentIndex => {
    const folder = Object.hasOwn(options.collections, name) ? options.collections[name] : undefined
    if (folder === undefined) throw unknownCollection(name, Object.keys(options.collections))
    const known = indexes.get(name) ?? createDocumentIndex(folder, options.now ?? (() => performance.now()))
    indexes.set(name, known)
    return known
  }
  return {
    ...DESCRIPTION,
    call: async (input, config, context) => {
      const { query, limit } = objectInput(input)
      const collection = textOf(config.collection) ?? onlyCollection(options.collections)
      const index = indexOf(collection)
      const hits = await index.search(textOf(query) ?? '').catch((error: unknown) => {
        const message = `The collection "${collection}" cannot be read. Check its folder on the server.`
        throw new AppError('tool.failed', message, { cause: error })
      })
      context.signal.throwIfAborted()
      const shown = hits.slice(0, typeof limit === 'number' ? limit : RESULTS_DEFAULT)
      return { results: shown.map(resultOf), total: hits.length }
    },
  }
}

const DESCRIPTION: Omit<BuiltinTool, 'call'> = {
  name: 'search_documents',
  description:
    'Searches a collection of documents and returns the passages that fit best, each with its path, heading, line ' +
    'and text. Use a few telling words as the query.',
  inputSchema: {
    type: 'object',
    properties: {
      query: {
        type: 'string',
        minLength: 1,
        maxLength: QUERY_CHARS_MAX,
        description: 'The words to look for.',
      },
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: RESULTS_MAX,
        description: `How many passages to return. Default: ${RESULTS_DEFAULT}.`,
      },
    },
    required: ['query'],
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: {
      results: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            path: { type: 'string' },
            title: { type: 'string' },
            heading: { type: 'string' },
            line: { type: 'integer' },
            score: { type: 'number' },
            snippet: { type: 'string' },
          },
          required: ['path', 'title', 'heading', 'line', 'score', 'snippet'],
          additionalProperties: false,
        },
      },
      total: { type: 'integer', description: 'How many passages fit, shown or not.' },
    },
    required: ['results', 'total'],
    additionalProperties: false,
  },
  effect: 'read',
  untrusted: false,
  configSchema: {
    type: 'object',
    properties: {
      collection: {
        type: 'string',
        description: 'The collection; may be left out where the server has only one.',
      },
    },
    additionalProperties: false,
  },
}

function resultOf({ passage, score, terms }: Hit): JsonObject {
  const snippet = snippetOf(passage.text, terms)
  return {
    path: passage.path,
    title: passage.title,
    heading: passage.heading,
    line: passage.line + snippet.linesBefore,
    score: Math.round(score * 1_000) / 1_000,
    snippet: snippet.text,
  }
}

function onlyCollection(collections: Readonly<Record<string, string>>): string {
  const names = Object.keys(collections)
  const [only] = names
  if (only !== undefined && names.length === 1) return only
  throw unknownCollection(undefined, names)
}

function unknownCollection(name: string | undefined, known: readonly string[]): AppError {
  const list = known.length === 0 ? 'this server has none' : `this server has: ${known.join(', ')}`
  const what =
    name === undefined ? 'needs a "collection" in its config' : `names an unknown collection "${name}"`
  return new AppError('definition.invalid', `The tool search_documents ${what}; ${list}.`)
}
