{{/* A StatefulSet of one pod with its Service and policy, up to its command: (dict "root" $ "component" NAME "values" V "port" PORT). */}}
{{- define "evaluator.developmentService" -}}
{{- $name := printf "%s-%s" (include "evaluator.fullname" .root) .component }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  labels:
    {{- include "evaluator.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    evaluator/development-only: "true"
spec:
  selector:
    {{- include "evaluator.selector" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  ports:
    - {name: {{ .component }}, port: {{ .port }}}
{{- if .root.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ $name }}
  labels:
    {{- include "evaluator.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    evaluator/development-only: "true"
spec:
  podSelector:
    matchLabels:
      {{- include "evaluator.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports: [{port: {{ .port }}, protocol: TCP}]
      from:
        - podSelector:
            matchLabels:
              {{- include "evaluator.selector" .root | nindent 14 }}
        {{- if eq .root.Values.autoscaling.mode "keda" }}
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: keda}}
        {{- end }}
{{- end }}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ $name }}
  labels:
    {{- include "evaluator.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    evaluator/development-only: "true"
spec:
  replicas: 1
  serviceName: {{ $name }}
  selector:
    matchLabels:
      {{- include "evaluator.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete, whenScaled: Retain}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .values.storageClassName }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests: {storage: {{ .values.storage }}}
  template:
    metadata:
      labels:
        {{- include "evaluator.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
        evaluator/development-only: "true"
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- toYaml (merge (dict "runAsUser" .values.runAsUser "runAsGroup" .values.runAsUser "fsGroup" .values.runAsUser) (default dict .root.Values.podSecurityContext)) | nindent 8 }}
      volumes:
        - name: tmp
          emptyDir: {sizeLimit: 64Mi}
      containers:
        - name: {{ .component }}
          image: {{ .values.image }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          securityContext:
            {{- toYaml (default dict .root.Values.securityContext) | nindent 12 }}
          resources:
            {{- toYaml (default dict .values.resources) | nindent 12 }}
          ports:
            - {name: {{ .component }}, containerPort: {{ .port }}}
          volumeMounts:
            - {name: data, mountPath: /data}
            - {name: tmp, mountPath: /tmp}
{{- end -}}
