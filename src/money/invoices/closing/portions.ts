// Work across tenants in bounded portions: one that fails keeps no other from its turn, and all failures are told.

/** How many are looked up at once, and how many portions one turn of the maintenance loop does. */
export const PORTION_SIZE = 100
export const PORTIONS_MAX = 20

/**
 * Does `work` for what `find` answers, portion after portion; each begins after the last one of the one before.
 * Throws, when all have had their turn, where some failed.
 */
export async function inPortions<T>(
  find: (after: T | undefined) => Promise<readonly T[]>,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const failures: unknown[] = []
  let after: T | undefined
  for (let portion = 0; portion < PORTIONS_MAX; portion++) {
    const items = await find(after)
    for (const item of items) await work(item).catch((error: unknown) => failures.push(error))
    if (items.length < PORTION_SIZE) break
    after = items.at(-1)
  }
  if (failures.length === 1) throw failures[0]
  if (failures.length > 1) throw new AggregateError(failures, `${failures.length} of the items failed.`)
}
