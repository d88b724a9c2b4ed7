{{/*
The hot path beside an application of another chart that names this one as its dependency, in its pod's `initContainers`:

    {{- include "tallygate.sidecar" .Subcharts.tallygate | nindent 8 }}

and in its `volumes`:

    {{- include "tallygate.sidecarVolumes" .Subcharts.tallygate | nindent 8 }}

The application calls 127.0.0.1:7420 and needs no key. A native sidecar (Kubernetes >= 1.29) is ready before the application
starts and stops after it.
*/}}
{{- define "tallygate.sidecar" -}}
- name: tallygate
  image: {{ include "tallygate.image" .Values.image }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  restartPolicy: Always
  args: [serve]
  env:
    - {name: TALLYGATE_ROLE, value: data}
    - {name: TALLYGATE_SERVER__GRPC_ADDRESS, value: "127.0.0.1:7420"}
    - {name: TALLYGATE_SERVER__ADMIN_ADDRESS, value: "0.0.0.0:7421"}
    - {name: TALLYGATE_SERVER__LISTENER_KEY_FILE, value: /etc/tallygate/api-key}
    - {name: TALLYGATE_SERVER__DRAIN_SECONDS, value: "{{ .Values.sidecar.drainSeconds }}s"}
    - name: TALLYGATE_REDIS__URL
      valueFrom: {secretKeyRef: {name: {{ .Values.sidecar.existingSecret }}, key: redis-url}}
    {{- with include "tallygate.settings" .Values.sidecar.settings | trim }}
    {{- . | nindent 4 }}
    {{- end }}
  ports:
    - {name: tallygate-admin, containerPort: 7421}
  {{- include "tallygate.probes" (dict "port" "tallygate-admin" "start" "/ready") | nindent 2 }}
  resources: {{ toJson .Values.sidecar.resources }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    seccompProfile: {type: RuntimeDefault}
    {{- include "tallygate.containerSecurity" . | nindent 4 }}
  volumeMounts:
    - {name: tallygate-key, mountPath: /etc/tallygate, readOnly: true}
    - {name: tallygate-data, mountPath: /var/lib/tallygate}
    - {name: tallygate-tmp, mountPath: /tmp}
{{- end }}

{{- define "tallygate.sidecarVolumes" -}}
- name: tallygate-key
  secret:
    secretName: {{ .Values.sidecar.existingSecret }}
    items: [{key: api-key, path: api-key}]
- name: tallygate-data
  emptyDir: {sizeLimit: 64Mi}
- name: tallygate-tmp
  emptyDir: {sizeLimit: 16Mi}
{{- end }}
