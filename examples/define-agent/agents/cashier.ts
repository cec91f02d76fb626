// An agent in code: the same fields as in YAML, with tools and guardrails as values.

import { defineAgent } from 'agent-factory/define'
import { noCardNumbers } from '../guardrails/no-card-numbers.ts'
import { convertMoney } from '../tools/convert-money.ts'

export default defineAgent({
  name: 'cashier',
  description: 'Converts money.',
  instructions: 'You convert money with convert_money. Say the amount and the currency, nothing else.',
  model: 'offline/extractive',
  tools: [convertMoney, 'calculator'],
  guardrails: [noCardNumbers],
  limits: { maxSteps: 5 },
})
