// Which server a command speaks to, and with which key: decided from flags, environment and what was stored. Pure.

/** A key, and the server that it belongs to. */
export interface StoredLogin {
  readonly apiUrl: string
  readonly apiKey: string
}

export interface TargetInput {
  readonly flags: {
    readonly apiUrl: string | undefined
    readonly apiKey: string | undefined
    readonly local: boolean
  }
  readonly environment: { readonly apiUrl: string | undefined; readonly apiKey: string | undefined }
  /** What the data folder of LOCAL_DEV has; undefined in other deployments and where there is none. */
  readonly folder: { readonly apiUrl: string | undefined; readonly apiKey: string } | undefined
  /** What `auth login` stored. */
  readonly login: StoredLogin | undefined
  /** In LOCAL_DEV a command may be the server itself. */
  readonly localDev: boolean
}

export type Target =
  | { readonly kind: 'server'; readonly url: string; readonly apiKey: string }
  /** The server of this folder where one runs, else this process. */
  | { readonly kind: 'folder'; readonly url: string | undefined; readonly apiKey: string | undefined }
  /** This process. */
  | { readonly kind: 'local' }
  | { readonly kind: 'no-key'; readonly url: string }

export const URL_DEFAULT = 'http://127.0.0.1:8787'

/**
 * Flags win over the environment, that over the folder's own server, that over `auth login`.
 * A stored key goes only to the server that it was stored for.
 */
export function chooseTarget({ flags, environment, folder, login, localDev }: TargetInput): Target {
  if (flags.local) return { kind: 'local' }
  const url = flags.apiUrl ?? environment.apiUrl
  const key = flags.apiKey ?? environment.apiKey
  if (url !== undefined) {
    const stored = [folder, login].find(
      (known) => known?.apiUrl !== undefined && sameServer(known.apiUrl, url),
    )
    const apiKey = key ?? stored?.apiKey
    return apiKey === undefined ? { kind: 'no-key', url } : { kind: 'server', url, apiKey }
  }
  if (key !== undefined) {
    return { kind: 'server', url: folder?.apiUrl ?? login?.apiUrl ?? URL_DEFAULT, apiKey: key }
  }
  if (folder !== undefined) return { kind: 'folder', url: folder.apiUrl, apiKey: folder.apiKey }
  if (login !== undefined) return { kind: 'server', url: login.apiUrl, apiKey: login.apiKey }
  return localDev
    ? { kind: 'folder', url: undefined, apiKey: undefined }
    : { kind: 'no-key', url: URL_DEFAULT }
}

function sameServer(a: string, b: string): boolean {
  return URL.parse(a)?.origin === URL.parse(b)?.origin
}
