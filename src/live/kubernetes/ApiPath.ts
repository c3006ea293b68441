/** URLs of the API: where a kind, an object and a subresource live. */
import type { KubernetesObject, ObjectRef, ResourceType } from "../../api/KubernetesObject.ts"
import type { Selection } from "../../ports/Kubernetes.ts"

type AnyType = ResourceType<KubernetesObject>

export const collection = (type: AnyType, namespace: string | undefined): string => {
  const group = type.group === "" ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`
  const within = type.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ""
  return `${group}${within}/${type.plural}`
}

export const object = (type: AnyType, ref: ObjectRef, subresource?: "status"): string =>
  `${collection(type, ref.namespace)}/${encodeURIComponent(ref.name)}${subresource === undefined ? "" : `/${subresource}`}`

export const selectors = ({ labelSelector, fieldSelector }: Selection): { readonly [key: string]: string } => ({
  ...(labelSelector !== undefined && { labelSelector }),
  ...(fieldSelector !== undefined && { fieldSelector })
})

/** `services/shop/web`, or `services` alone: how errors name what they are about. */
export const describe = (type: AnyType, ref?: Partial<ObjectRef>): string =>
  [type.plural, ref?.namespace, ref?.name].filter((part) => part !== undefined && part !== "").join("/")
