// A tool in code: its input is checked by the schema, its types come from it, and it says what a second call would do.

import { defineTool } from 'agent-factory/define'
import { z } from 'zod'

/** Fixed, so that the example gives the same answer each time. */
const DOLLARS = { EUR: 1.1, GBP: 1.25, JPY: 0.0065 } as const

export const convertToDollars = defineTool({
  name: 'convert_to_dollars',
  description: 'Converts an amount of another currency to US dollars.',
  input: z.object({ amount: z.number(), currency: z.enum(['EUR', 'GBP', 'JPY']) }),
  output: z.object({ dollars: z.number() }),
  effect: 'read',
  run: ({ amount, currency }) => ({ dollars: Math.round(amount * DOLLARS[currency] * 100) / 100 }),
})
