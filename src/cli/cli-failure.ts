// A failure that the command line found itself: one line for the user, and what the exit code will be.

export type FailureKind = 'failed' | 'usage' | 'notFound' | 'denied' | 'budget' | 'interrupted'

/** `message` is one line that says what to do; `cause` is shown only where somebody debugs. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure'
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

export function usage(message: string, options?: ErrorOptions): CliFailure {
  return new CliFailure('usage', message, options)
}
