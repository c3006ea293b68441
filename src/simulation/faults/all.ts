/** All faults; the order is part of what a seed means: append. Crashes before and after each write are enumerated, not drawn. */
import type { Fault } from "../Fault.ts"
import { addressDeleted } from "./addressDeleted.ts"
import { addressReadded } from "./addressReadded.ts"
import { admissionRejected } from "./admissionRejected.ts"
import { apiConflict } from "./apiConflict.ts"
import { apiErrors } from "./apiErrors.ts"
import { apiOutage } from "./apiOutage.ts"
import { apiSlow } from "./apiSlow.ts"
import { listSlow } from "./listSlow.ts"
import { apiThrottled } from "./apiThrottled.ts"
import { classFlipped } from "./classFlipped.ts"
import { cloudActionFailed } from "./cloudActionFailed.ts"
import { cloudActionSlow } from "./cloudActionSlow.ts"
import { cloudBadGateway } from "./cloudBadGateway.ts"
import { cloudConflict } from "./cloudConflict.ts"
import { cloudDeleted } from "./cloudDeleted.ts"
import { cloudLocked } from "./cloudLocked.ts"
import { cloudNameTaken } from "./cloudNameTaken.ts"
import { cloudQuota } from "./cloudQuota.ts"
import { cloudRateLimited } from "./cloudRateLimited.ts"
import { cloudReadsLag } from "./cloudReadsLag.ts"
import { cloudRenamed } from "./cloudRenamed.ts"
import { cloudReplyLost } from "./cloudReplyLost.ts"
import { cloudRequestLost } from "./cloudRequestLost.ts"
import { cloudServerGone } from "./cloudServerGone.ts"
import { cloudServerRenamed } from "./cloudServerRenamed.ts"
import { cloudTokenForeign } from "./cloudTokenForeign.ts"
import { cloudTokenRotated } from "./cloudTokenRotated.ts"
import { cloudUnassigned } from "./cloudUnassigned.ts"
import { clockRate } from "./clockRate.ts"
import { clockSkewed } from "./clockSkewed.ts"
import { clockStepped } from "./clockStepped.ts"
import { controllerCut } from "./controllerCut.ts"
import { controllerKilled } from "./controllerKilled.ts"
import { controllerPaused } from "./controllerPaused.ts"
import { crdMissing } from "./crdMissing.ts"
import { downgraded } from "./downgraded.ts"
import { familyFlipped } from "./familyFlipped.ts"
import { finalizerStripped } from "./finalizerStripped.ts"
import { foreignHost } from "./foreignHost.ts"
import { interfaceDown } from "./interfaceDown.ts"
import { interfaceMissing } from "./interfaceMissing.ts"
import { interfaceRenamed } from "./interfaceRenamed.ts"
import { labelsStripped } from "./labelsStripped.ts"
import { lanCut } from "./lanCut.ts"
import { lanOneWay } from "./lanOneWay.ts"
import { lateWrites } from "./lateWrites.ts"
import { leaderFlapping } from "./leaderFlapping.ts"
import { leaderPaused } from "./leaderPaused.ts"
import { leadersMany } from "./leadersMany.ts"
import { leadersNone } from "./leadersNone.ts"
import { namespaceDeleted } from "./namespaceDeleted.ts"
import { neighboursIgnore } from "./neighboursIgnore.ts"
import { networkRedone } from "./networkRedone.ts"
import { nodeCordoned } from "./nodeCordoned.ts"
import { nodeIsolated } from "./nodeIsolated.ts"
import { nodeLabelled } from "./nodeLabelled.ts"
import { nodesInTurns } from "./nodesInTurns.ts"
import { nodeNotReady } from "./nodeNotReady.ts"
import { nodeRebooted } from "./nodeRebooted.ts"
import { nodeRecreated } from "./nodeRecreated.ts"
import { nodeShutDown } from "./nodeShutDown.ts"
import { nodeTainted } from "./nodeTainted.ts"
import { operatorCut } from "./operatorCut.ts"
import { operatorCutOneWay } from "./operatorCutOneWay.ts"
import { operatorKilled } from "./operatorKilled.ts"
import { operatorPaused } from "./operatorPaused.ts"
import { operatorPausedMidway } from "./operatorPausedMidway.ts"
import { operatorUpgraded } from "./operatorUpgraded.ts"
import { poolDeleted } from "./poolDeleted.ts"
import { poolOverlap } from "./poolOverlap.ts"
import { poolPolicy } from "./poolPolicy.ts"
import { poolShrunk } from "./poolShrunk.ts"
import { powerLoss } from "./powerLoss.ts"
import { rbacRevoked } from "./rbacRevoked.ts"
import { rulesetFlushed } from "./rulesetFlushed.ts"
import { replyLost } from "./replyLost.ts"
import { requestLost } from "./requestLost.ts"
import { sameAddressAsked } from "./sameAddressAsked.ts"
import { serviceRecreated } from "./serviceRecreated.ts"
import { serviceWithdrawn } from "./serviceWithdrawn.ts"
import { staleAfterRestart } from "./staleAfterRestart.ts"
import { statusEdited } from "./statusEdited.ts"
import { tokenExpired } from "./tokenExpired.ts"
import { toolsNoSpace } from "./toolsNoSpace.ts"
import { toolsNotPermitted } from "./toolsNotPermitted.ts"
import { twoOperators } from "./twoOperators.ts"
import { typeFlipped } from "./typeFlipped.ts"
import { uplinkDown } from "./uplinkDown.ts"
import { versionSkew } from "./versionSkew.ts"
import { vmFrozen } from "./vmFrozen.ts"
import { watchCoalesced } from "./watchCoalesced.ts"
import { watchDead } from "./watchDead.ts"
import { watchDropped } from "./watchDropped.ts"
import { watchExpired } from "./watchExpired.ts"
import { watchStalled } from "./watchStalled.ts"

export const faults: ReadonlyArray<Fault> = [
  controllerKilled,
  operatorKilled,
  powerLoss,
  replyLost,
  requestLost,
  apiConflict,
  apiThrottled,
  apiErrors,
  apiOutage,
  apiSlow,
  listSlow,
  lateWrites,
  staleAfterRestart,
  watchStalled,
  watchDropped,
  watchCoalesced,
  watchDead,
  watchExpired,
  admissionRejected,
  rbacRevoked,
  tokenExpired,
  crdMissing,
  operatorCut,
  operatorCutOneWay,
  controllerCut,
  operatorPaused,
  controllerPaused,
  nodeRebooted,
  vmFrozen,
  clockSkewed,
  clockStepped,
  clockRate,
  lanCut,
  lanOneWay,
  nodeIsolated,
  uplinkDown,
  interfaceDown,
  interfaceMissing,
  interfaceRenamed,
  addressDeleted,
  addressReadded,
  toolsNoSpace,
  toolsNotPermitted,
  twoOperators,
  neighboursIgnore,
  versionSkew,
  serviceRecreated,
  typeFlipped,
  classFlipped,
  familyFlipped,
  namespaceDeleted,
  poolShrunk,
  poolDeleted,
  poolOverlap,
  poolPolicy,
  sameAddressAsked,
  finalizerStripped,
  labelsStripped,
  statusEdited,
  downgraded,
  nodeCordoned,
  nodeTainted,
  nodeLabelled,
  nodesInTurns,
  nodeNotReady,
  nodeRecreated,
  leadersNone,
  leadersMany,
  leaderPaused,
  leaderFlapping,
  cloudReplyLost,
  cloudRequestLost,
  cloudLocked,
  cloudRateLimited,
  cloudBadGateway,
  cloudActionSlow,
  cloudActionFailed,
  cloudUnassigned,
  networkRedone,
  rulesetFlushed,
  operatorUpgraded,
  nodeShutDown,
  cloudDeleted,
  cloudTokenRotated,
  cloudTokenForeign,
  operatorPausedMidway,
  serviceWithdrawn,
  foreignHost,
  cloudReadsLag,
  cloudConflict,
  cloudQuota,
  cloudNameTaken,
  cloudRenamed,
  cloudServerRenamed,
  cloudServerGone
]
