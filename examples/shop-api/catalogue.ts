// What the example shop knows: a few books, orders and opening hours. Nothing here is real.

export interface Book {
  readonly isbn: string
  readonly title: string
  readonly author: string
  readonly price_usd: string
  readonly in_stock: number
}

export interface Order {
  readonly order_id: string
  readonly isbn: string
  readonly quantity: number
  readonly total_usd: string
  readonly status: 'received' | 'packed' | 'shipped' | 'delivered'
  readonly placed_on: string
  readonly expected_on: string
}

export interface Refund {
  readonly order_id: string
  readonly amount_usd: string
  readonly refunded_on: string
}

const CENTS = 100

export const BOOKS: readonly Book[] = [
  {
    isbn: '9780000000017',
    title: 'The Quiet Harbour',
    author: 'Mara Lindqvist',
    price_usd: '14.50',
    in_stock: 7,
  },
  {
    isbn: '9780000000024',
    title: 'A Field Guide to Clouds',
    author: 'Tobias Okafor',
    price_usd: '22.00',
    in_stock: 3,
  },
  { isbn: '9780000000031', title: 'Bread, Slowly', author: 'Inés Carvalho', price_usd: '18.75', in_stock: 0 },
  {
    isbn: '9780000000048',
    title: 'Night Trains of Europe',
    author: 'Jonas Weber',
    price_usd: '31.00',
    in_stock: 12,
  },
]

export const ORDERS: readonly Order[] = [
  order('1001', '9780000000017', 1, 'delivered', '2026-10-02', '2026-10-06'),
  order('1002', '9780000000048', 2, 'shipped', '2026-10-28', '2026-11-02'),
  order('1003', '9780000000031', 1, 'received', '2026-10-30', '2026-11-20'),
]

export const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const

const WEEKDAY = { opens: '09:00', closes: '18:30' }

export const OPENING_HOURS: Readonly<
  Record<(typeof DAYS)[number], { opens: string; closes: string } | null>
> = {
  monday: WEEKDAY,
  tuesday: WEEKDAY,
  wednesday: WEEKDAY,
  thursday: { opens: '09:00', closes: '20:00' },
  friday: WEEKDAY,
  saturday: { opens: '10:00', closes: '16:00' },
  sunday: null,
}

/** What so many copies cost together. */
export function totalUsd(isbn: string, quantity: number): string {
  const price = BOOKS.find((book) => book.isbn === isbn)?.price_usd ?? '0.00'
  return ((Math.round(Number(price) * CENTS) * quantity) / CENTS).toFixed(2)
}

function order(
  id: string,
  isbn: string,
  quantity: number,
  status: Order['status'],
  placedOn: string,
  expectedOn: string,
): Order {
  return {
    order_id: id,
    isbn,
    quantity,
    total_usd: totalUsd(isbn, quantity),
    status,
    placed_on: placedOn,
    expected_on: expectedOn,
  }
}
