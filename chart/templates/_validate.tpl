{{/* Values that each are valid and together make no sense. One sentence each, with the remedy. */}}
{{- define "plenuslb.validate" -}}
{{- $envs := .Values.envs }}
{{- $port := int $envs.HEALTH_PORT }}
{{- if or (lt $port 1) (gt $port 65535) }}
{{- fail (printf "envs.HEALTH_PORT is %v: a TCP port is a number from 1 to 65535." $envs.HEALTH_PORT) }}
{{- end }}
{{- range $name := list "MY_POD_NAME" "MY_POD_NAMESPACE" "MY_NODE_NAME" }}
{{- if hasKey $envs $name }}
{{- fail (printf "envs.%s: the Pod itself knows it. Remove it from envs." $name) }}
{{- end }}
{{- end }}
{{- range $name, $value := include "plenuslb.envsFromValues" . | fromYaml }}
{{- if hasKey $envs $name }}
{{- fail (printf "envs.%s is what the value %s sets. Remove it from envs and set %s." $name $value $value) }}
{{- end }}
{{- end }}
{{- if $envs.OPERATOR_IMAGE }}
{{- range list "tag" "digest" }}
{{- if index $.Values.operator.image . }}
{{- fail (printf "envs.OPERATOR_IMAGE and operator.image.%s both name the operator's image. Remove one of them." .) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $value := $envs }}
{{- if not (regexMatch "^[A-Za-z_][A-Za-z0-9_]*$" $name) }}
{{- fail (printf "envs.%s: the name of an environment variable has letters, digits and underscores only." $name) }}
{{- end }}
{{- end }}
{{- $names := concat (keys $envs) (keys (include "plenuslb.envsFromValues" . | fromYaml)) (list "MY_POD_NAME" "MY_POD_NAMESPACE" "MY_NODE_NAME" "OPERATOR_IMAGE" "OPERATOR_PULL_SECRET") }}
{{- range .Values.controller.extraEnv }}
{{- if has .name $names }}
{{- fail (printf "controller.extraEnv has %s, which envs or another value sets. Remove one of them." .name) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "plenuslb.envsFromValues" -}}
LOG_LEVEL: logLevel
FAILOVER_PROFILE: failover.profile
FAILOVER_SERVE_MILLIS: failover.serveMillis
FAILOVER_TICKET_MILLIS: failover.ticketMillis
FAILOVER_RENEW_MILLIS: failover.renewMillis
FAILOVER_QUIET_MILLIS: failover.quietMillis
WITNESS: failover.witness
DEFAULT_LOAD_BALANCER: defaultLoadBalancer
LOAD_BALANCER_CLASS: loadBalancerClass
IGNORE_EXCLUDE_LABEL: ignoreExcludeLabel
HCLOUD_ENDPOINT: hetzner.endpoint
{{- end }}
