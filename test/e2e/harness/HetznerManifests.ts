/** The Hetzner manifests of v0.4's documentation, to the letter but for token, addresses and image, and pools of our own. */
import type { Manifest } from "./Cluster.ts"

export const documentedNames = { ephemeral: "hetzner-eph-pool-all", persistent: "hetzner-persist-pool-all" } as const

const documentedOptions = `
  options:
    hostNetworkInterface:
      addAddressesToInterface: true
      interfaceName: pl0
`

export const documentedEphemeralPool = (token: string): string => `
apiVersion: loadbalancing.plenus.io/v1alpha1
kind: EphemeralIPPool
metadata:
  name: hetzner-eph-pool-all
spec:
  cloudIntegration:
    hetzner:
      token: ${token}
${documentedOptions}`

export const documentedPersistentPool = (token: string, first: string, second: string): string => `
apiVersion: loadbalancing.plenus.io/v1alpha1
kind: PersistentIPPool
metadata:
  name: hetzner-persist-pool-all
spec:
  addresses:
  - "${first}"
  - "${second}"
  cloudIntegration:
    hetzner:
      token: ${token}
${documentedOptions}`

export const documentedService = `
apiVersion: v1
kind: Service
metadata:
  name: hello-kubernetes
spec:
  type: LoadBalancer
  ports:
  - port: 80
    targetPort: 8080
  selector:
    app: hello-kubernetes
`

export const documentedPersistentService = (address: string): string => `
apiVersion: v1
kind: Service
metadata:
  name: hello-kubernetes-persistent
spec:
  type: LoadBalancer
  externalIPs:
  - ${address}
  ports:
  - port: 80
    targetPort: 8080
  selector:
    app: hello-kubernetes
`

export const documentedDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: hello-kubernetes
spec:
  replicas: 1
  selector:
    matchLabels:
      app: hello-kubernetes
  template:
    metadata:
      labels:
        app: hello-kubernetes
    spec:
      containers:
      - name: hello-kubernetes
        image: localhost/plenuslb-echo:lab
        imagePullPolicy: Never
        ports:
        - containerPort: 8080
`

/** For one namespace alone, so that no other test's Services buy in it. */
export const ephemeralPool = (name: string, namespace: string, credentials: Manifest): Manifest => ({
  apiVersion: "loadbalancing.plenus.io/v1alpha1",
  kind: "EphemeralIPPool",
  metadata: { name },
  spec: {
    allowedNamespaces: [namespace],
    cloudIntegration: { hetzner: credentials },
    options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0" } }
  }
})
