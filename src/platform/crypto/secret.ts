import { inspect } from 'node:util'

const printed = '[secret]'

/** A value that must not appear in logs, errors or responses. However it is printed, the output is `[secret]`. */
export class Secret<T> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  /** The value itself, for the one place that uses it. */
  reveal(): T {
    return this.#value
  }

  toString(): string {
    return printed
  }

  toJSON(): string {
    return printed
  }

  [inspect.custom](): string {
    return printed
  }
}
