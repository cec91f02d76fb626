// The fetch that provider packages use: a key goes to the address that it was configured for, and nowhere else.

export interface ProviderFetchOptions {
  /** Provider packages insist on a key; a server without one must not receive a made-up one. */
  readonly sendAuthorization: boolean
}

/**
 * Redirects are not followed: `x-api-key` and `x-goog-api-key` would travel along to wherever they point.
 * The 3xx answer comes back as it is and becomes a failure that names the status.
 */
export function createProviderFetch({ sendAuthorization }: ProviderFetchOptions): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers)
    if (!sendAuthorization) headers.delete('authorization')
    return fetch(input, { ...init, headers, redirect: 'manual' })
  }
}
