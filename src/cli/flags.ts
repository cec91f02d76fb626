// The flags that every command takes.

export interface Flags {
  readonly json: boolean
  readonly ndjson: boolean
  readonly local: boolean
  readonly color: boolean
  readonly apiUrl: string | undefined
  readonly apiKey: string | undefined
}
