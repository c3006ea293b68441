/** The filters that all lists of named, labelled resources share. */
import { Result } from "effect"
import type { Query } from "./Faults.ts"
import { parseSelector } from "./Labels.ts"
import { type ApiError, invalidInput } from "./Reply.ts"
import type { Labels } from "./Resources.ts"

interface Named {
  readonly name: string
  readonly labels: Labels
}

export const selected = <A extends Named>(
  query: Query,
  items: ReadonlyArray<A>
): Result.Result<ReadonlyArray<A>, ApiError> => {
  const name = query.get("name")
  return parseSelector(query.get("label_selector") ?? "").pipe(
    Result.mapError((term) => invalidInput({ name: "label_selector", messages: [`cannot read '${term}'`] })),
    Result.map((matches) => items.filter((each) => (name === null || each.name === name) && matches(each.labels)))
  )
}
