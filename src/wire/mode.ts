/** How the tokens of a session are transported; chosen at sign-in and never changed. */
export const modes = ['cookie', 'json', 'session'] as const

export type Mode = (typeof modes)[number]
