// Services that a test starts when it first needs them, and that end after the last test.

const ends: (() => Promise<void>)[] = []

/** Starts once; `end` is called by test/setup.ts. */
export function startedOnce<T>(
  start: () => Promise<T>,
  end: (service: T) => Promise<void>,
): () => Promise<T> {
  let service: Promise<T> | undefined
  return () => {
    if (service === undefined) {
      const starting = start()
      service = starting
      ends.push(async () => end(await starting))
    }
    return service
  }
}

export async function endSharedServices(): Promise<void> {
  await Promise.allSettled(ends.splice(0).map((end) => end()))
}
