import { assert, describe, it } from "@effect/vitest"
import * as Rivals from "../../../src/domain/Rivals.ts"
import { addresses, addressOf } from "./notation.ts"

/** `web=ab` is the IPAllocation shop/web with uid web, which claims the addresses a and b. */
const claimants = (text: string): ReadonlyArray<Rivals.Claimant> =>
  text
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => {
      const [name = "", letters = ""] = word.split("=")
      return { uid: name, key: `shop/${name}`, addresses: addresses([...letters].join(" ")) }
    })

const shown = (finding: Rivals.Finding): string => (finding._tag === "Rivals" ? finding.keys.join() : finding._tag)

describe("Rivals: to shop/web, which is to serve address a", () => {
  // oxfmt-ignore
  it.each([
    // name                                             listed              found
    ["nobody else claims it",                           "web=a",            "Alone"],
    ["others claim other addresses",                    "web=a api=b",      "Alone"],
    ["it claims another address as well",               "web=ab",           "Alone"],
    ["another one claims it, too",                      "web=a api=a",      "shop/api"],
    ["another one claims it among others",              "api=ba web=a",     "shop/api"],
    ["two others claim it",                             "api=a web=a db=a", "shop/api,shop/db"],
    ["another one claims it and its own claim is gone", "api=a",            "shop/api"],
    ["its own claim is not there",                      "web=b",            "Unseen"],
    ["nothing is there",                                "",                 "Unseen"],
  ])("%s", (_name, listed, found) => {
    const findingOf = Rivals.judging(claimants(listed))
    assert.strictEqual(shown(findingOf({ address: addressOf("a"), uid: "web" })), found)
  })
})
