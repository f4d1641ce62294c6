/** The problem codes of one area. Each area has a file of its own, so that features add codes without touching another's. */
export type ProblemTable = Record<string, { status: number; title: string; advice: string }>
