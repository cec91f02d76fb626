// Makes a provider's text safe to show: one line, no secrets, no control characters, bounded.

const MESSAGE_CHARS_MAX = 300
const REDACTED = '[redacted]'
/** Credentials by their look: prefixed keys, bearer tokens, keys in a query. Masked ones (`sk-…****abcd`) too. */
const LOOKS_SECRET = [
  /\b(?:sk|pk|rk|xai|gsk|key|pat|ghp|hf)[-_][A-Za-z0-9_\-*.…]{4,}/g,
  /\bAIza[A-Za-z0-9_\-*]{4,}/g,
  /\b(bearer)\s+[A-Za-z0-9._~+/=\-*]{6,}/gi,
  /([?&](?:key|api_key|apikey|token|access_token)=)[^&\s"']+/gi,
  /(\/\/)[^\s/@:]+:[^\s/@]+@/g,
]
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]+/gu
const ANSI = /\p{Cc}\[[0-9;]*[A-Za-z]/gu

/** `secrets` are the exact values that must not appear, e.g. the provider's key. */
export function plainMessage(text: string, secrets: readonly string[]): string {
  // Cut first: patterns then run over bounded text.
  let plain = text.slice(0, MESSAGE_CHARS_MAX * 4)
  for (const secret of secrets) if (secret !== '') plain = plain.replaceAll(secret, REDACTED)
  for (const pattern of LOOKS_SECRET) plain = plain.replace(pattern, keepPrefix)
  plain = plain.replace(ANSI, '').replace(CONTROL, ' ').replace(/ {2,}/g, ' ').trim()
  return plain.length > MESSAGE_CHARS_MAX ? `${plain.slice(0, MESSAGE_CHARS_MAX - 1)}…` : plain
}

/** Keeps what shows where the secret was (`?key=`, `Bearer`, `//`), where the pattern has captured it. */
function keepPrefix(_match: string, prefix: unknown): string {
  if (typeof prefix !== 'string') return REDACTED
  return /^[a-z]+$/i.test(prefix) ? `${prefix} ${REDACTED}` : `${prefix}${REDACTED}`
}
