// Markers stand for values while a statement is built; the compiler turns each into a numbered place.

/** The place of one named value. */
export class Marker {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  /** A marker that is used as a text was put into SQL by hand, which would bake one tenant's value into all. */
  toString(): string {
    throw new Error(`"${this.name}" is a place for a value: give it to the query builder, not to a text.`)
  }
}

/** An object whose every property is the marker of that name: what a statement's `build` receives as `bind`. */
export function markers<B>(): B {
  const made = new Map<string, Marker>()
  const get = (_: object, name: string | symbol): unknown => {
    // What asks for a symbol or for `then` is JavaScript itself, and wants to know what kind of object this is.
    if (typeof name === 'symbol' || name === 'then' || name === 'toOperationNode') return undefined
    const marker = made.get(name) ?? new Marker(name)
    made.set(name, marker)
    return marker
  }
  return new Proxy({}, { get }) as B
}
