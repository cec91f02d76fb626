// Money and tokens for people. A cost that nobody knows is never shown as zero.

/** `$0.00123`, `at least $0.1 (2 calls unpriced)`. */
export function costText(costUsd: string, unpricedCalls: number): string {
  if (unpricedCalls === 0) return `$${costUsd}`
  const calls = counted(unpricedCalls, 'call')
  return costUsd === '0' ? `unknown (${calls} unpriced)` : `at least $${costUsd} (${calls} unpriced)`
}

export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
