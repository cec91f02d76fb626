// Calls a route that answers pages, and gives its pages one by one.

import type { QueryInputOf, ResponseOf, Route } from '../contract/route.ts'
import { type Page, type PageList, pageList } from './page-list.ts'
import type { CallOptions, Transport } from './transport.ts'

type ItemOf<R extends Route> = ResponseOf<R> extends { items: readonly (infer T)[] } ? T : never
export type ListOptions<R extends Route> = Partial<QueryInputOf<R>> & CallOptions
interface LooseQuery extends CallOptions {
  readonly cursor?: string | undefined
}

/** The pages of a list: `limit`, `cursor` and filters come with the options. */
export function listRoute<R extends Route>(
  transport: Transport,
  route: R,
  params: Readonly<Record<string, string>>,
  options: ListOptions<R>,
): PageList<ItemOf<R>> {
  const { signal, timeoutMs, idempotencyKey: _, cursor, ...query }: LooseQuery = options
  const fetchPage = async (next: string | undefined): Promise<Page<ItemOf<R>>> => {
    // What is sent and answered is typed by the signature above; the transport sees any list.
    const any: Transport['send'] = transport.send
    const sent = { params, query: { ...query, cursor: next } }
    return (await any(route as Route, sent as never, { signal, timeoutMs })) as Page<ItemOf<R>>
  }
  return pageList(fetchPage, cursor)
}
