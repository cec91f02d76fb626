// The client's methods about prices and costs: one for each route, like those of client.ts.

import type {
  CostEntity,
  CostEntry,
  CostEstimate,
  CostHints,
  CostReport,
  CreateRerate,
  EntityCosts,
  EstimateCost,
  RecordCosts,
  RecordedCosts,
  Rerate,
  RerateDetail,
} from '../contract/cost.ts'
import type { FileContent } from '../contract/fields.ts'
import type { ComparePrices, Price, PriceDiff, SetPrice } from '../contract/price.ts'
import type { QueryInputOf } from '../contract/route.ts'
import { ROUTES, type Routes } from '../contract/routes.ts'
import { AccountClient } from './account-client.ts'
import { type ListOptions, listRoute } from './list-route.ts'
import type { PageList } from './page-list.ts'
import type { CallOptions, Transport } from './transport.ts'

type Listing<Id extends keyof Routes> = ListOptions<Routes[Id]>
type AtOptions = CallOptions & { readonly at?: string | undefined }
type Query<Id extends keyof Routes> = QueryInputOf<Routes[Id]>

/** What `Client` has of prices and costs. */
export class CostClient extends AccountClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    super(transport)
    this.#transport = transport
  }

  /** Prices of your own, or with `source: 'book'` the product's. */
  listPrices(options: Listing<'listPrices'> = {}): PageList<Price> {
    return listRoute(this.#transport, ROUTES.listPrices, {}, options)
  }
  /** What holds for a model, a tool, `compute/second` … at a time: your own price, else the book's. */
  getPrice(subject: string, options: AtOptions = {}): Promise<Price> {
    return this.#transport.send(ROUTES.getPrice, { query: { subject, at: options.at } }, options)
  }
  setPrice(request: SetPrice, options?: CallOptions): Promise<Price> {
    return this.#transport.send(ROUTES.setPrice, { body: request }, options)
  }
  withdrawPrice(id: string, options?: CallOptions): Promise<Price> {
    return this.#transport.send(ROUTES.withdrawPrice, { params: { id } }, options)
  }
  /** What the second source that comes with the product says otherwise than the book. */
  diffPrices(options: AtOptions = {}): Promise<PriceDiff> {
    return this.#transport.send(ROUTES.diffPrices, { query: { at: options.at } }, options)
  }
  /** The same with prices of another source. */
  comparePrices(request: ComparePrices, options: AtOptions = {}): Promise<PriceDiff> {
    return this.#transport.send(ROUTES.comparePrices, { query: { at: options.at }, body: request }, options)
  }

  /** One cost, or `{entries}`: all are recorded or none. */
  recordCosts(costs: RecordCosts, options?: CallOptions): Promise<RecordedCosts> {
    const body = 'entries' in costs ? { entries: [...costs.entries] } : costs
    return this.#transport.send(ROUTES.recordCosts, { body }, options)
  }
  listCosts(options: Listing<'listCosts'> = {}): PageList<CostEntry> {
    return listRoute(this.#transport, ROUTES.listCosts, {}, options)
  }
  /** What something cost: of this month where no times are given. */
  getCosts(
    type: CostEntity,
    id: string,
    query: Query<'getCosts'> = {},
    options?: CallOptions,
  ): Promise<EntityCosts> {
    const params = { entity_type: type, entity_id: id }
    return this.#transport.send(ROUTES.getCosts, { params, query }, options)
  }
  estimateCost(request: EstimateCost, options?: CallOptions): Promise<CostEstimate> {
    return this.#transport.send(ROUTES.estimateCost, { body: request }, options)
  }
  /** With `dryRun` nothing is changed. */
  createRerate(request: CreateRerate, options?: CallOptions): Promise<RerateDetail> {
    return this.#transport.send(ROUTES.createRerate, { body: request }, options)
  }
  listRerates(options: Listing<'listRerates'> = {}): PageList<Rerate> {
    return listRoute(this.#transport, ROUTES.listRerates, {}, options)
  }
  getRerate(id: string, options?: CallOptions): Promise<RerateDetail> {
    return this.#transport.send(ROUTES.getRerate, { params: { id } }, options)
  }
  /** The report of a month, `2026-11`. */
  getCostReport(
    month: string,
    query: Query<'getCostReport'> = {},
    options?: CallOptions,
  ): Promise<CostReport> {
    return this.#transport.send(ROUTES.getCostReport, { params: { month }, query }, options)
  }
  downloadCostReport(
    month: string,
    query: Query<'downloadCostReport'>,
    options?: CallOptions,
  ): Promise<FileContent> {
    return this.#transport.send(ROUTES.downloadCostReport, { params: { month }, query }, options)
  }
  listHints(query: Query<'listHints'> = {}, options?: CallOptions): Promise<CostHints> {
    return this.#transport.send(ROUTES.listHints, { query }, options)
  }
}
