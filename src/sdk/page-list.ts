// Lists: awaited, the first page; iterated, every item of every page.

export interface Page<T> {
  readonly items: readonly T[]
  /** For the next page; null on the last one. */
  readonly nextCursor: string | null
}

/**
 * `await client.listAgents()` is the first page; `for await (const agent of client.listAgents())` visits all agents,
 * fetching pages as they are needed; `pages()` visits the pages.
 */
export type PageList<T> = Promise<Page<T>> &
  AsyncIterable<T> & { readonly pages: () => AsyncIterable<Page<T>> }

export function pageList<T>(
  fetchPage: (cursor: string | undefined) => Promise<Page<T>>,
  cursor?: string,
): PageList<T> {
  const first = fetchPage(cursor)
  async function* pages(): AsyncGenerator<Page<T>> {
    let page = await first
    yield page
    while (page.nextCursor !== null) {
      page = await fetchPage(page.nextCursor)
      yield page
    }
  }
  async function* items(): AsyncGenerator<T> {
    for await (const page of pages()) yield* page.items
  }
  return Object.assign(first, { pages, [Symbol.asyncIterator]: items })
}
