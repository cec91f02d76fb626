// An agent in code: the same fields as in YAML, with tools and guardrails as values.

import { defineAgent } from 'agent-factory/define'
import { noCardNumbers } from '../guardrails/no-card-numbers.ts'
import { convertToDollars } from '../tools/convert-to-dollars.ts'

export default defineAgent({
  name: 'cashier',
  description: 'Converts money to US dollars.',
  instructions: 'You convert money to US dollars with convert_to_dollars. Say the amount, nothing else.',
  model: 'offline/extractive',
  tools: [convertToDollars, 'calculator'],
  guardrails: [noCardNumbers],
  limits: { maxSteps: 5 },
})
