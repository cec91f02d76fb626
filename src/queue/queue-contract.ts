// The contract of the queue, as named cases: every engine plays each of them. A table of what is covered is made from it.

import { CLAIM_CASES } from './queue-claim-cases.ts'
import { ENDING_CASES } from './queue-ending-cases.ts'
import type { QueueCase } from './queue-play.ts'

export const QUEUE_CASES: readonly QueueCase[] = [
  ...CLAIM_CASES,
  ...ENDING_CASES,
  {
    name: 'cron: a tick fires once with three schedulers',
    coveredBy: 'src/runtime/triggers/schedules.test.ts',
  },
  { name: 'an approval that comes early is kept', coveredBy: 'src/runtime/approvals/early-decision.test.ts' },
]
