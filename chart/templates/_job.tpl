{{/* A hook job: one short command of the controller's image. (dict root name account args annotations) */}}
{{- define "plenuslb.job" -}}
{{- $root := .root -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "plenuslb.labels" $root | nindent 4 }}
  annotations: {{- .annotations | nindent 4 }}
spec:
  backoffLimit: 2
  # Below Helm's own default of five minutes, so that the job's end is what Helm reports.
  activeDeadlineSeconds: 240
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {{ .name }}
        app.kubernetes.io/instance: {{ $root.Release.Name }}
    spec:
      serviceAccountName: {{ .account }}
      restartPolicy: Never
      {{- with include "plenuslb.pullSecrets" $root }}
      {{- . | nindent 6 }}
      {{- end }}
      securityContext: {{- include "plenuslb.restrictedPod" $root | nindent 8 }}
      {{- with $root.Values.controller.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $root.Values.controller.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.controller.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ last .args }}
          image: {{ include "plenuslb.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: {{ toJson .args }}
          env:
            - {name: LOG_LEVEL, value: {{ $root.Values.logLevel }}}
            - name: MY_POD_NAME
              valueFrom: {fieldRef: {fieldPath: metadata.name}}
            - name: MY_POD_NAMESPACE
              valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
            {{- with $root.Values.controller.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          resources:
            requests: {cpu: 50m, memory: 96Mi}
            limits: {memory: 256Mi}
          securityContext: {{- include "plenuslb.restrictedContainer" $root | nindent 12 }}
          terminationMessagePolicy: FallbackToLogsOnError
{{- end }}
