// A tool in code: its input is checked by the schema, its types come from it, and it says what a second call would do.

import { defineTool } from 'agent-factory/define'
import { z } from 'zod'

/** Fixed, so that the example gives the same answer each time. */
const RATES = { USD: 1, EUR: 1.1, GBP: 1.25 } as const
const currency = z.enum(['USD', 'EUR', 'GBP'])

export const convertMoney = defineTool({
  name: 'convert_money',
  description: 'Converts an amount of money from one currency to another.',
  input: z.object({ amount: z.number(), from: currency, to: currency }),
  output: z.object({ amount: z.number(), currency }),
  effect: 'read',
  run: ({ amount, from, to }) => ({
    amount: Math.round((amount * RATES[from] * 100) / RATES[to]) / 100,
    currency: to,
  }),
})
