/** Who did something, by the name under which the API server and the kernel know it. */
export const isController = (by: string): boolean => by.startsWith("controller-")
export const isOperator = (by: string): boolean => by.startsWith("operator-")
export const isOurs = (by: string): boolean => isController(by) || isOperator(by)

/** A leader that another one has replaced may have writes under way for so long. */
export const rivalryMillis = 10_000
