import type { Settings } from './settings.js'

/** A rule about settings that are valid by themselves. */
export interface Rule {
  /** The settings that the rule compares; it says nothing when one of them cannot be read. */
  between: (keyof Settings)[]
  /** The conflict and how to solve it, starting with the name of a setting; null if there is none. */
  find: (settings: Settings) => string | null
}
