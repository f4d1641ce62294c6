/** Who did what an event tells. From where is told by its caller, to whom by its user. */
export type Actor =
  /** `id` is null for a person who has not shown who they are. */
  | { kind: 'user'; id: string | null }
  /** An application or a service, by its name. */
  | { kind: 'client'; id: string }
  /** The operator, and Sallyport itself. */
  | { kind: 'operator' | 'system'; id: null }

export const operator: Actor = { kind: 'operator', id: null }
export const system: Actor = { kind: 'system', id: null }
/** A person who has not shown who they are, as at a login that fails. */
export const stranger: Actor = { kind: 'user', id: null }
