// What a command answers: the API's own JSON where it is asked for, else a form for people.

import type { z } from 'zod'
import type { Json } from '../../base/json.ts'
import { PAGE_SIZE_MAX } from '../../base/limits.ts'
import { codecOf } from '../../contract/codec.ts'
import type { PageList } from '../../sdk/page-list.ts'
import type { Session } from '../session.ts'
import type { Channel } from './channel.ts'
import { visibleJson } from './escape.ts'
import { type Column, tableLines } from './table.ts'

export const LIST_LIMIT_DEFAULT = 50

export interface ListOptions {
  readonly limit?: number
  readonly all?: true
}

/** One thing: its JSON, or what `show` writes. */
export function answer<S extends z.ZodType>(
  session: Session,
  schema: S,
  value: z.output<S>,
  show: (channel: Channel) => void,
): void {
  if (session.json) writeJson(session, codecOf(schema).encode(value))
  else show(session.out)
}

/** A list: an array of JSON, a line of JSON for each item (`--ndjson`), or a table. */
export async function answerList<S extends z.ZodType>(
  session: Session,
  schema: S,
  options: ListOptions,
  fetch: (page: { readonly limit: number; readonly signal: AbortSignal }) => PageList<z.output<S>>,
  columns: readonly Column<z.output<S>>[],
): Promise<void> {
  const most = options.all ? Number.POSITIVE_INFINITY : (options.limit ?? LIST_LIMIT_DEFAULT)
  const signal = session.world.interrupted()
  const pages = fetch({ limit: Math.min(most, PAGE_SIZE_MAX), signal }).pages()
  const items: z.output<S>[] = []
  let count = 0
  let more = false
  for await (const page of pages) {
    const wanted = page.items.slice(0, most - count)
    count += wanted.length
    if (session.flags.ndjson) for (const item of wanted) writeJson(session, codecOf(schema).encode(item))
    else items.push(...wanted)
    more = page.nextCursor !== null || wanted.length < page.items.length
    if (count >= most) break
  }
  if (session.flags.json && !session.flags.ndjson)
    writeJson(
      session,
      items.map((item) => codecOf(schema).encode(item)),
    )
  else if (!session.flags.ndjson && items.length > 0)
    for (const line of tableLines(session.out, columns, items)) session.out.line(line)
  if (count === 0) session.note('There are none.')
  // Whoever reads JSON must not take a part for the whole either.
  if (more) session.err.line(`There are more: --limit NUMBER or --all shows them.`)
}

/** `--ndjson` takes one line; `--json` takes as many as are good to read. */
export function writeJson(session: Session, json: Json): void {
  session.out.line(visibleJson(JSON.stringify(json, undefined, session.flags.ndjson ? undefined : 2)))
}
