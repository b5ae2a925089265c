{{- define "driftguard.pod" -}}
serviceAccountName: {{ .root.Release.Name | quote }}
automountServiceAccountToken: false
terminationGracePeriodSeconds: 60
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
containers:
  - name: driftguard
    image: "{{ .root.Values.image.repository }}{{ if .root.Values.image.digest }}@{{ .root.Values.image.digest }}{{ else }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}{{ end }}"
    imagePullPolicy: {{ .root.Values.image.pullPolicy | quote }}
    args: ["--config", "/etc/driftguard/config.yaml", "{{ .command }}"]
    env:
      - name: DRIFTGUARD_STORE
        valueFrom: {secretKeyRef: {name: {{ .root.Values.secret | quote }}, key: store}}
      - {name: DRIFTGUARD_STORE__KEY_FILE, value: /data/driftguard.key}
      - {name: DRIFTGUARD_WEB__HOST, value: "0.0.0.0"}
      - {name: DRIFTGUARD_WEB__BEHIND_PROXY, value: "true"}
      - {name: DRIFTGUARD_SERVICE__LEASE__WORKERS, value: "{{ .workers }}"}
    {{- if .root.Values.environmentSecret }}
    envFrom: [{secretRef: {name: {{ .root.Values.environmentSecret | quote }}}}]
    {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    resources: {{- toYaml .resources | nindent 6 }}
    {{- if eq .command "serve" }}
    ports: [{name: http, containerPort: 8420}]
    livenessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 20, timeoutSeconds: 5}
    readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 10, timeoutSeconds: 5}
    {{- end }}
    volumeMounts:
      - {name: config, mountPath: /etc/driftguard, readOnly: true}
      - {name: data, mountPath: /data}
      - {name: tmp, mountPath: /tmp}
initContainers:
  # The key file must be ours alone (mode 0600), which a mounted secret is not.
  - name: key
    image: "{{ .root.Values.image.repository }}{{ if .root.Values.image.digest }}@{{ .root.Values.image.digest }}{{ else }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}{{ end }}"
    command: ["/bin/sh", "-ec", "umask 077; cat /secret/driftguard.key > /data/driftguard.key"]
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    volumeMounts:
      - {name: data, mountPath: /data}
      - {name: secret, mountPath: /secret, readOnly: true}
volumes:
  - {name: config, configMap: {name: {{ .root.Release.Name }}-config}}
  - name: secret
    secret: {secretName: {{ .root.Values.secret | quote }}, items: [{key: driftguard.key, path: driftguard.key}]}
  - {name: data, emptyDir: {}}
  - {name: tmp, emptyDir: {}}
{{- end }}
