// A guardrail in code: it sees the answer before anybody else does.

import { defineGuardrail } from 'agent-factory/define'

const CARD = /\b\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b/

export const noCardNumbers = defineGuardrail({
  name: 'no-card-numbers',
  on: 'output',
  check: (text) =>
    CARD.test(text) ? { action: 'block', message: 'The answer held a card number.' } : { action: 'allow' },
})
