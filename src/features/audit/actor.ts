/** The party that caused an event. The caller tells from where, the user about whom. */
export type Actor =
  /** `id` is null for a person who is not authenticated. */
  | { kind: 'user'; id: string | null }
  /** An application or a service, by its name. */
  | { kind: 'client'; id: string }
  /** The operator, and Sallyport itself. */
  | { kind: 'operator' | 'system'; id: null }

export const operator: Actor = { kind: 'operator', id: null }
export const system: Actor = { kind: 'system', id: null }
/** A person who is not authenticated, as at a login that fails. */
export const stranger: Actor = { kind: 'user', id: null }
