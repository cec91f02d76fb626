import { type EpochMs, formatTime } from '../../base/time.ts'

export function timeOrNull(at: EpochMs | null): string | null {
  return at === null ? null : formatTime(at)
}
