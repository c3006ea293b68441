{{/* Names are fixed: there is one PlenusLB in a cluster, and its programs find each other's objects by name. */}}
{{- define "plenuslb.chart" -}}{{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}{{- end }}

{{- define "plenuslb.version" -}}{{ .Chart.AppVersion | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}{{- end }}

{{- define "plenuslb.labels" -}}
app.kubernetes.io/name: plenuslb
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ include "plenuslb.version" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ include "plenuslb.chart" . }}
{{- end }}

{{/*
A Deployment's selector cannot change. The chart of v0.4 may have chosen another one under the same name, so what the
cluster has is kept. (`helm template` sees no cluster and takes ours.)
*/}}
{{- define "plenuslb.selectorLabels" -}}
{{- $current := lookup "apps/v1" "Deployment" .Release.Namespace "plenuslb" | default dict }}
{{- $labels := dig "spec" "selector" "matchLabels" dict $current }}
{{- if $labels }}
{{- toYaml $labels }}
{{- else -}}
app.kubernetes.io/name: plenuslb
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- end }}

{{- define "plenuslb.imageOf" -}}
{{- $tag := .image.tag | default .appVersion -}}
{{- if .image.digest -}}
{{ .image.repository }}{{ with .image.tag }}:{{ . }}{{ end }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ $tag }}
{{- end -}}
{{- end }}

{{- define "plenuslb.image" -}}
{{ include "plenuslb.imageOf" (dict "image" .Values.image "appVersion" .Chart.AppVersion) }}
{{- end }}

{{- define "plenuslb.operatorImage" -}}
{{ .Values.envs.OPERATOR_IMAGE | default (include "plenuslb.imageOf" (dict "image" .Values.operator.image "appVersion" .Chart.AppVersion)) }}
{{- end }}

{{- define "plenuslb.pullSecrets" -}}
{{- $secrets := .Values.imagePullSecrets }}
{{- with .Values.envs.OPERATOR_PULL_SECRET }}{{ $secrets = append $secrets (dict "name" .) | uniq }}{{ end }}
{{- with $secrets -}}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "plenuslb.healthPort" -}}{{ .Values.envs.HEALTH_PORT | int }}{{- end }}

{{/* With that of the cloud's endpoint, which says it or leaves it to the scheme. An IPv6 host has colons of its own. */}}
{{- /* YAML reads an unquoted on and off as true and false. */ -}}
{{- define "plenuslb.witness" -}}
{{- ternary "on" "off" (has (toString .Values.failover.witness) (list "on" "true")) -}}
{{- end }}

{{- define "plenuslb.egressPorts" -}}
{{- $ports := list }}
{{- range .Values.networkPolicy.egressPorts }}{{ $ports = append $ports (int .) }}{{ end }}
{{- with .Values.hetzner.endpoint }}
{{- $url := urlParse . }}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "80" "443" (eq $url.scheme "http")) }}
{{- $ports = append $ports (int $port) }}
{{- end }}
{{- if eq (include "plenuslb.witness" .) "on" }}{{ $ports = append $ports (int (include "plenuslb.healthPort" .)) }}{{ end }}
{{- uniq $ports | toJson }}
{{- end }}

{{- define "plenuslb.startupAndLiveness" -}}
startupProbe:
  httpGet: {path: /health, port: health}
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /health, port: health}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /ready, port: health}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}

{{/* Pod Security Standard "restricted"; for everything but the operators. */}}
{{- define "plenuslb.restrictedPod" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "plenuslb.restrictedContainer" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* The rules of files/permissions.yaml for (list role scope). */}}
{{- define "plenuslb.rules" -}}
{{- range . }}
- apiGroups: [{{ .group | quote }}]
  resources: {{ toJson .resources }}
  {{- with .names }}
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: {{ toJson .verbs }}
{{- end }}
{{- end }}
