// What goes out and what comes back.

export interface OutboundRequest {
  /** Upper case. */
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Smaller than the policy's limit, or cut off instead of refused when the answer is longer. */
  readonly responseBytesMax?: number
  readonly onTooLong?: 'refuse' | 'truncate'
  /** Narrows what may be called, for the URL itself and each redirect: why not, as half a sentence, or undefined. */
  readonly refuseUrl?: (url: URL) => string | undefined
}

export interface OutboundResponse {
  readonly status: number
  /** Where the answer came from, after redirects. */
  readonly url: string
  /** Names in lower case, repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly truncated: boolean
}
