/** The problem codes of one area. Each area has its own file, so that features add codes independently. */
export type ProblemTable = Record<string, { status: number; title: string; advice: string }>
