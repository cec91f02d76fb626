// The options that every list has.

import type { Command } from 'commander'
import { whole } from '../input/option-values.ts'
import { LIST_LIMIT_DEFAULT } from '../output/answers.ts'

const LIMIT_MAX = 1_000_000

export function addListOptions(command: Command): Command {
  return command
    .option('--limit <number>', `show at most so many (default: ${LIST_LIMIT_DEFAULT})`, whole(1, LIMIT_MAX))
    .option('--all', 'show all')
}
