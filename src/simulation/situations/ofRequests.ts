/** Situations that show in requests and their answers. */
import { nodeLeaseNamePrefix } from "../../api/Names.ts"
import { isWrite } from "../RequestTrouble.ts"
import type { Situation } from "./Sights.ts"

const isController = (client: string): boolean => client.startsWith("controller-")

export const ofRequests: ReadonlyArray<Situation> = [
  {
    name: "a takeover hits 409",
    title: "a controller fences a lease that was renewed meanwhile (R7)",
    detect: (_, note) => ({
      refusal: (client, { method, reason, resource }) => {
        const isFence = isController(client) && method === "replace" && resource.includes(nodeLeaseNamePrefix)
        if (isFence && reason._tag === "Conflict") note()
      }
    })
  },
  {
    name: "an assignment hits 409",
    title: "a controller writes an IPAllocation that another has written meanwhile",
    detect: (_, note) => ({
      refusal: (client, { method, reason, resource }) => {
        const isAssignment = isController(client) && method === "patch" && resource.startsWith("ipallocations/")
        if (isAssignment && reason._tag === "Conflict") note()
      }
    })
  },
  {
    name: "a write is committed and its reply lost",
    title: "repeating it must do nothing twice",
    detect: (_, note) => ({
      request: (request, { loseReply }) => {
        if (loseReply === true && isWrite(request)) note()
      }
    })
  },
  {
    name: "a client lists again after 410",
    title: "what was deleted meanwhile shows only by its absence",
    detect: ({ links }, note) => ({
      request: ({ method, plural, user }) => {
        if (method === "list" && links.expired.delete(`${user} ${plural}`)) note()
      }
    })
  },
  {
    name: "a write of a sender that is gone is committed",
    title: "it was stopped or dead when what it had sent arrived",
    detect: (_, note) => ({
      lateWrite: ({ isSenderRunning, isCommitted }) => {
        if (isCommitted && !isSenderRunning) note()
      }
    })
  },
  {
    name: "a late write is refused",
    title: "the compare-and-set knows that it is late",
    detect: (_, note) => ({
      lateWrite: ({ isCommitted }) => {
        if (!isCommitted) note()
      }
    })
  }
]
