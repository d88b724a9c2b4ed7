{{/* Room for a suffix below the 63 characters of a name. */}}
{{- define "tallygate.name" -}}
{{ .Release.Name | trunc 48 | trimSuffix "-" }}
{{- end }}

{{- define "tallygate.labels" -}}
app.kubernetes.io/name: tallygate
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "tallygate.image" -}}
{{ .repository }}:{{ .tag }}
{{- end }}

{{- define "tallygate.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "tallygate.name" .) }}
{{- else }}{{ .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "tallygate.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "tallygate.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* YAML's numbers reach a chart as floating point, and print as 1e+06 from a million on. */}}
{{- define "tallygate.settings" -}}
{{- range $name, $value := . }}
- {name: {{ $name }}, value: {{ if kindIs "float64" $value }}{{ printf "%.15g" $value | quote }}{{ else }}{{ toString $value | quote }}{{ end }}}
{{- end }}
{{- end }}

{{- define "tallygate.storeEnv" -}}
- name: TALLYGATE_REDIS__URL
  valueFrom: {secretKeyRef: {name: {{ .Values.existingSecret }}, key: redis-url}}
- name: TALLYGATE_DATABASE__URL
  valueFrom: {secretKeyRef: {name: {{ .Values.existingSecret }}, key: database-url}}
{{- if .Values.masterKey }}
- {name: TALLYGATE_BILLING__MASTER_KEY_FILE, value: /etc/tallygate-master/master-key}
{{- end }}
{{- include "tallygate.settings" .Values.settings }}
{{- end }}

{{/* Where a pod may run, and what else is said of it. */}}
{{- define "tallygate.placing" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with .affinity }}
affinity: {{ toJson . }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "tallygate.probes" -}}
startupProbe:
  httpGet: {path: {{ .start }}, port: {{ .port }}}
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /live, port: {{ .port }}}
  periodSeconds: 10
  timeoutSeconds: 2
readinessProbe:
  httpGet: {path: /ready, port: {{ .port }}}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}

{{- define "tallygate.volumeMounts" -}}
- {name: data, mountPath: /var/lib/tallygate}
- {name: tmp, mountPath: /tmp}
{{- with .Values }}
{{- if .masterKey }}
- {name: master-key, mountPath: /etc/tallygate-master, readOnly: true}
{{- end }}
{{- end }}
{{- end }}

{{- define "tallygate.volumes" -}}
- name: data
  emptyDir: {sizeLimit: 64Mi}
- name: tmp
  emptyDir: {sizeLimit: 16Mi}
{{- with .Values }}
{{- if .masterKey }}
- name: master-key
  secret:
    secretName: {{ .existingSecret }}
    items: [{key: master-key, path: master-key}]
{{- end }}
{{- end }}
{{- end }}
