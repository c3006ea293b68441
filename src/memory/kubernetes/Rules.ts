/**
 * What the in-memory API server enforces, rule by rule. All hold; a test switches one off at a time and demands that a
 * case of the conformance suite fails, so that every rule is pinned by what a real API server was seen to do. Each name
 * is read at exactly one place.
 */
export const allRules = {
  // identity
  uidIsNewForEachObject: true,
  namesAreChecked: true,
  labelsAreChecked: true,
  finalizerNamesAreChecked: true,
  namespaceMustExist: true,
  terminatingNamespaceTakesNothingNew: true,
  namesAreUnique: true,
  serverSetsCreationTimestamp: true,
  identityIsImmutable: true,
  // versions
  everyWriteHasANewVersion: true,
  replaceComparesUid: true,
  replaceComparesVersion: true,
  patchComparesVersion: true,
  patchComparesUid: true,
  noChangeKeepsVersion: true,
  generationFollowsSpec: true,
  // status subresource
  mainEndpointKeepsStatus: true,
  statusEndpointKeepsTheRest: true,
  builtinStatusTakesMetadata: true,
  customStatusTakesAnyUid: true,
  // deletion
  deleteComparesUid: true,
  deleteComparesVersion: true,
  finalizersHoldDeletion: true,
  deletionIsFinal: true,
  noNewFinalizersWhileDeleting: true,
  lastFinalizerEndsDeletion: true,
  namespaceLingersWhileTerminating: true,
  propagationHoldsTheOwner: true,
  lastPropagationCounts: true,
  // server-side apply
  applyRemovesWhatIsLeftOut: true,
  sharedFieldsStay: true,
  applyConflictsWithOtherManagers: true,
  updatesOwnFields: true,
  forceTakesOwnership: true,
  applyNeverRecreatesAUid: true,
  applyToStatusMayCreate: true,
  applyRefusesUndeclaredFields: true,
  statusAndMainAreOwnedApart: true,
  // admission of custom resources
  undeclaredFieldsArePruned: true,
  defaultsAreFilledIn: true,
  schemaIsEnforced: true,
  celRulesAreEnforced: true,
  // reading
  labelSelectorsFilter: true,
  fieldSelectorsFilter: true,
  selectorsAreParsed: true,
  listIsSorted: true,
  kindMustBeInstalled: true,
  // watching
  watchReplaysHistory: true,
  watchStartsAfterVersion: true,
  selectionChangesAreAddedAndDeleted: true,
  watchIsOfOneNamespace: true,
  oldVersionsExpire: true,
  // built-in kinds
  serviceDefaults: true,
  serviceIsValidated: true,
  leaseIsValidated: true
}

export type Rules = { readonly [rule in keyof typeof allRules]: boolean }
