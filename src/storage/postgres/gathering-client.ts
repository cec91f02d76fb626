// A client of Postgres that sends what is asked of it within one turn as one piece: pipelined statements cost a call of the
// system each otherwise, which is most of what the client costs.

import type { Socket } from 'node:net'
import type { Client } from 'pg'

/** What the driver has and its types do not tell. */
interface Connected {
  readonly connection?: { readonly stream?: Pick<Socket, 'cork' | 'uncork'> }
}

/** The driver's own class, with statements gathered. */
export function gatheringClient(Base: typeof Client): typeof Client {
  const query = Base.prototype.query as (...args: unknown[]) => unknown
  return class GatheringClient extends Base {
    #gathering = false

    constructor(...args: ConstructorParameters<typeof Client>) {
      super(...args)
      Object.defineProperty(this, 'query', {
        value: (...asked: unknown[]) => {
          this.#gather()
          return query.apply(this, asked)
        },
      })
    }

    #gather(): void {
      const stream = (this as unknown as Connected).connection?.stream
      if (this.#gathering || stream === undefined) return
      this.#gathering = true
      stream.cork()
      process.nextTick(() => {
        this.#gathering = false
        stream.uncork()
      })
    }
  }
}
