// One thing, shown as names and values below each other.

import type { Channel } from './channel.ts'
import { oneLine, visible } from './escape.ts'

/** Rows whose value is empty or undefined are left out. */
export function showDetails(
  channel: Channel,
  rows: readonly (readonly [name: string, value: string | undefined])[],
): void {
  const shown = rows.filter(([, value]) => value !== undefined && value !== '')
  const width = Math.max(0, ...shown.map(([name]) => name.length))
  for (const [name, value = ''] of shown)
    channel.line(`${channel.paint('bold', name.padEnd(width))}  ${oneLine(value)}`)
}

/** A text of several lines below its title, indented. */
export function showBlock(channel: Channel, title: string, text: string): void {
  channel.line(channel.paint('bold', title))
  for (const line of visible(text).trimEnd().split('\n')) channel.line(line === '' ? '' : `  ${line}`)
}
