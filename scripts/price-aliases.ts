// Dated snapshots that the providers document as names of a model at its price, where the source of the price file knows them
// by a pattern only. A name is taken if the source prices it as that model too.

/** By provider. */
export const DOCUMENTED_NAMES: Readonly<Record<string, readonly string[]>> = {
  // https://platform.claude.com/docs/en/about-claude/models/overview and …/api/service-tiers (read 2026-11-22)
  anthropic: [
    'claude-opus-4-5-20251101',
    'claude-haiku-4-5-20251001',
    'claude-sonnet-4-5-20250929',
    'claude-opus-4-1-20250805',
    'claude-opus-4-20250514',
    'claude-sonnet-4-20250514',
    'claude-3-7-sonnet-20250219',
    'claude-3-5-haiku-20241022',
    'claude-3-haiku-20240307',
  ],
  // https://developers.openai.com/api/docs/models/gpt-5-nano (read 2026-11-22)
  openai: ['gpt-5-nano-2025-08-07'],
}
