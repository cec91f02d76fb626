// An application that is replaced while it serves: requests go to the newest, the one before finishes what it has begun.
// Knows nothing of what an application is made of.

export interface Served extends AsyncDisposable {
  fetch(request: Request, environment?: object): Response | Promise<Response>
  stopping(): void
}

export interface ReloadingApp<A extends Served> extends AsyncDisposable {
  fetch(request: Request, environment?: object): Response | Promise<Response>
  stopping(): void
  current(): A
  /** From now on requests go to `next`; the one before is closed, in the background. */
  replace(next: A): void
}

export function createReloadingApp<A extends Served>(first: A): ReloadingApp<A> {
  let current = first
  const closing = new Set<PromiseLike<void>>()
  return {
    fetch: (request, environment) => current.fetch(request, environment),
    stopping: () => current.stopping(),
    current: () => current,
    replace(next) {
      const before = current
      current = next
      const closed = Promise.resolve(before[Symbol.asyncDispose]()).finally(() => closing.delete(closed))
      closing.add(closed)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...closing, current[Symbol.asyncDispose]()])
    },
  }
}
