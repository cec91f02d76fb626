// The plans that a new platform begins with, to be replaced by its own.

import { type CreatePlan, FEATURES } from '../../contract/plan.ts'

export const SEED_PLANS: readonly CreatePlan[] = [
  {
    key: 'free',
    name: 'Free',
    description: 'To try it out.',
    currency: 'USD',
    interval: 'month',
    basePrice: '0.00',
    included: { agent_run: 100, workflow_run: 50, token: 1_000_000, tool_call: 1_000 },
    features: ['workflows'],
    limits: { runs_per_minute: 10, max_concurrent_jobs: 2, seats: 2, retention_days: 30 },
  },
  {
    key: 'pro',
    name: 'Pro',
    description: 'For teams that run agents every day.',
    currency: 'USD',
    interval: 'month',
    basePrice: '49.00',
    trialDays: 14,
    included: { agent_run: 5_000, workflow_run: 1_000, token: 20_000_000, tool_call: 50_000 },
    overage: [
      { metric: 'agent_run', model: 'per_unit', unitPrice: '0.01' },
      { metric: 'workflow_run', model: 'per_unit', unitPrice: '0.02' },
      {
        metric: 'token',
        model: 'graduated',
        tiers: [
          { upTo: 100_000_000, unitPrice: '0.000003' },
          { upTo: null, unitPrice: '0.000002' },
        ],
      },
      { metric: 'tool_call', model: 'package', packageSize: 1_000, packagePrice: '0.50' },
    ],
    features: ['workflows', 'triggers', 'replay', 'budgets'],
    limits: { runs_per_minute: 120, max_concurrent_jobs: 20, seats: 10, retention_days: 90 },
  },
  {
    key: 'enterprise',
    name: 'Enterprise',
    description: 'For companies: by seat, with everything.',
    currency: 'USD',
    interval: 'month',
    basePrice: '99.00',
    perSeat: true,
    included: { agent_run: 100_000, workflow_run: 20_000, token: 500_000_000, tool_call: 1_000_000 },
    overage: [
      { metric: 'agent_run', model: 'per_unit', unitPrice: '0.005' },
      { metric: 'workflow_run', model: 'per_unit', unitPrice: '0.01' },
      { metric: 'token', model: 'per_unit', unitPrice: '0.000001' },
    ],
    features: [...FEATURES],
    limits: { runs_per_minute: 1_200, max_concurrent_jobs: 200 },
  },
]
