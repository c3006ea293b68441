import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { isAbsent, isPresent } from "../../../../src/live/linux/IpAddress.ts"
import { defaultToolbox, reasonOf, run } from "../../../../src/live/linux/Tool.ts"

const shell = (script: string, options = {}) => run(defaultToolbox, "sh", ["-c", script], options)

describe("Tool.run", () => {
  it.live("gives what was printed", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* shell("echo one; echo two >&2"), "one\n")
    })
  )
  it.live("fails with what was said on stderr", () =>
    Effect.gen(function* () {
      const reason = yield* Effect.flip(shell("echo one; echo two >&2; exit 2"))
      assert.strictEqual(reason._tag === "ToolFailed" && reason.message, "two (exit code 2)")
    })
  )
  it.live("takes what was printed before a failure where that is enough, but not nothing", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* shell("echo one; exit 2", { isPartialEnough: true }), "one\n")
      assert.strictEqual((yield* Effect.flip(shell("exit 2", { isPartialEnough: true })))._tag, "ToolFailed")
    })
  )
  it.live("says that a tool is not there, and which", () =>
    Effect.gen(function* () {
      const reason = yield* Effect.flip(run(defaultToolbox, "/nonexistent/ip", []))
      assert.strictEqual(
        reason._tag === "ToolFailed" && `${reason.tool} ${reason.message}`,
        "/nonexistent/ip did not start: spawn /nonexistent/ip ENOENT"
      )
    })
  )
  it.live("reads messages in English whatever the language of the process", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* shell("echo $LC_ALL"), "C\n")
    })
  )
})

describe("Tool.reasonOf", () => {
  // oxfmt-ignore
  it.each([
    // the tool says                                                     reason              present absent
    ['Cannot find device "pl7"',                                         "InterfaceMissing", false, false],
    ['Device "pl7" does not exist.',                                     "InterfaceMissing", false, false],
    ['2026/11/24 15:26:17 socat[1] E unknown interface "pl7"',           "InterfaceMissing", false, false],
    ["RTNETLINK answers: No such device",                                "InterfaceMissing", false, false],
    ["RTNETLINK answers: Operation not permitted",                       "NotPermitted",     false, false],
    ["socat[1] E socket(17, 3, 0): Operation not permitted",             "NotPermitted",     false, false],
    ["Operation failed: sorry, you must be root or get CAP_NET_ADMIN capability to do this", "NotPermitted", false, false],
    ["Error: ipv4: Address already assigned.",                           "ToolFailed",       true,  false],
    ["RTNETLINK answers: File exists",                                   "ToolFailed",       true,  false],
    ["Error: ipv6: address not found.",                                  "ToolFailed",       false, true],
    ["RTNETLINK answers: Cannot assign requested address",               "ToolFailed",       false, true],
    ["Error: Attribute failed policy validation.",                       "ToolFailed",       false, false]
  ])("%s", (said, tag, present, absent) => {
    const reason = reasonOf("ip", said, "exit code 2", "pl7")
    assert.deepStrictEqual([reason._tag, isPresent(reason), isAbsent(reason)], [tag, present, absent])
  })

  it("does not take a missing namespace for a missing interface", () => {
    const said = "nsenter: cannot open /run/netns/x: No such file or directory"
    assert.strictEqual(reasonOf("ip", said, "exit code 1", "pl7")._tag, "ToolFailed")
  })

  it("says how it ended when it said nothing", () => {
    const reason = reasonOf("ip", " \n", "exit code 255", "")
    assert.deepStrictEqual(reason._tag === "ToolFailed" && reason.message, "exit code 255")
  })
})
