import { assert, describe, it } from "@effect/vitest"
import { advertisementClaimant, arpClaimant, type Claimant } from "../../../src/domain/ProbeAnswers.ts"

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"))
const render = (found: Claimant | undefined): string =>
  found === undefined ? "nobody" : `${found.address} at ${found.mac}`

const [me, other] = ["02005e100001", "02005e100099"]
const ten = "c000020a"
const zero = "00000000"
const noMac = "000000000000"
const padding = "00".repeat(18)

describe("ProbeAnswers.arpClaimant", () => {
  // oxfmt-ignore
  it.each<[string, string, string]>([
    // name                                   operation, sender, target                                             claimant
    ["a reply names who has the address",     `0001 0800 0604 0002 ${other} ${ten} ${me} ${zero}`,                  "192.0.2.10 at 02:00:5e:10:00:99"],
    ["a reply that Ethernet has padded",      `0001 0800 0604 0002 ${other} ${ten} ${me} ${zero} ${padding}`,       "192.0.2.10 at 02:00:5e:10:00:99"],
    ["a request of who has it, too",          `0001 0800 0604 0001 ${other} ${ten} ${noMac} c0000214`,              "192.0.2.10 at 02:00:5e:10:00:99"],
    ["a gratuitous one",                      `0001 0800 0604 0001 ${other} ${ten} ${noMac} ${ten}`,                "192.0.2.10 at 02:00:5e:10:00:99"],
    ["a probe names who is about to take it", `0001 0800 0604 0001 ${other} ${zero} ${noMac} ${ten}`,               "192.0.2.10 at 02:00:5e:10:00:99"],
    ["a reply from nobody says nothing",      `0001 0800 0604 0002 ${other} ${zero} ${me} ${ten}`,                  "nobody"],
    ["nor does what is cut off",              `0001 0800 0604 0002 ${other} ${ten} ${me} 0000`,                     "nobody"],
    ["nor another hardware",                  `0006 0800 0604 0002 ${other} ${ten} ${me} ${zero}`,                  "nobody"],
    ["nor another protocol",                  `0001 86dd 0604 0002 ${other} ${ten} ${me} ${zero}`,                  "nobody"],
    ["nor other lengths",                     `0001 0800 0804 0002 ${other} ${ten} ${me} ${zero}`,                  "nobody"],
    ["nor nothing",                           "",                                                                   "nobody"]
  ])("%s", (_, packet, expected) => {
    assert.strictEqual(render(arpClaimant(bytes(packet))), expected)
  })
})

describe("ProbeAnswers.advertisementClaimant", () => {
  const target = "20010db8000000000000000000000010"
  // oxfmt-ignore
  it.each<[string, string, string]>([
    // name                            type, code, checksum, flags, target, options                      claimant
    ["names who has the target",       `8800 fe9d 20000000 ${target} 0201 ${other}`,                     "2001:db8::10 at 02:00:5e:10:00:99"],
    ["after another option",           `8800 fe9d 20000000 ${target} 0e01 000000000000 0201 ${other}`,   "2001:db8::10 at 02:00:5e:10:00:99"],
    ["says that it does not say",      `8800 fe9d 20000000 ${target}`,                                   "2001:db8::10 at unknown"],
    ["nor with an option of no length", `8800 fe9d 20000000 ${target} 0200 ${other}`,                    "2001:db8::10 at unknown"],
    ["nor with one that is cut off",   `8800 fe9d 20000000 ${target} 0201 0200`,                         "2001:db8::10 at unknown"],
    ["a solicitation says nothing",    `8700 fe9d 00000000 ${target} 0101 ${other}`,                     "nobody"],
    ["nor does another code",          `8801 fe9d 20000000 ${target} 0201 ${other}`,                     "nobody"],
    ["nor what is cut off",            "8800 fe9d 20000000 20010db8",                                    "nobody"]
  ])("%s", (_, message, expected) => {
    assert.strictEqual(render(advertisementClaimant(bytes(message))), expected)
  })
})
