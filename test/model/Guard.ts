/**
 * What can be left out of the protocol, one at a time: the rules R1 to R12, and guards that stand inside of them. Each
 * must have a counterexample, or it is not needed, or the model does not see what it is for.
 */

/** Of holding and taking over one address (`lease/`). */
export type LeaseGuard =
  | "R1"
  | "R2"
  | "R3"
  | "R4"
  | "R5"
  | "R6"
  | "R7"
  | "R9"
  | "R10"
  | "R11"
  | "compare-and-set"
  | "fence-compare-and-set"
  | "full-L"
  | "clock-rates"
  | "r-not-from-get"
  | "consistent-list"
  | "lease-read-after-owner"
  | "delete-before-acknowledging"
  | "release-flushes-ticket"
  | "nonce-per-transaction"
  | "ids-by-generation"
  | "previous-kept"
  | "previous-appended"
  | "acknowledged-epoch"
  | "acknowledged-own-id"
  | "announced-before-used"

/** Of keeping an address without the control plane (`evidence/`). */
export type EvidenceGuard =
  | "R12"
  | "strict-majority"
  | "confirming-round"
  | "full-V"
  | "round-of-one-version"
  | "voter-restarts"
  | "evidence-dated-at-asking"
  | "evidence-never-revives"
  | "both-lists"
  | "given-for-good"

/** Of several IPAllocations with one address (`sharing/`). */
export type SharingGuard = "R8" | "label-until-released" | "label-with-address" | "consistent-claims"

export type Guard = LeaseGuard | EvidenceGuard | SharingGuard
