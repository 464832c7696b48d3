{{/*
The `pod` of all pods, and those that are added to it: (list $ POD ...). Maps are merged, lists joined; of entries with the
same name or place the last one counts, since a server-side apply refuses two.
*/}}
{{- define "evaluator.pod" -}}
{{- $pods := list (default dict (index . 0).Values.pod) -}}
{{- range rest . }}{{ $pods = append $pods (default dict .) }}{{ end -}}
{{- $result := dict -}}
{{- range $key := list "annotations" "labels" "nodeSelector" "affinity" }}
{{- $joined := dict -}}
{{- range $pods }}{{ $joined = merge (deepCopy (get . $key | default dict)) $joined }}{{ end -}}
{{- $_ := set $result $key $joined -}}
{{- end }}
{{- $unlike := dict "extraEnv" "name" "extraVolumes" "name" "extraVolumeMounts" "mountPath" -}}
{{- range $key := list "tolerations" "topologySpreadConstraints" "extraEnv" "extraEnvFrom" "extraVolumes" "extraVolumeMounts" }}
{{- $joined := list -}}
{{- range $pods }}
{{- range $entry := get . $key | default list }}
{{- $kept := list -}}
{{- range $joined }}
{{- if not (and (hasKey $unlike $key) (eq (get . (get $unlike $key)) (get $entry (get $unlike $key)))) }}{{ $kept = append $kept . }}{{ end -}}
{{- end }}
{{- $joined = append $kept $entry -}}
{{- end }}
{{- end }}
{{- $_ := set $result $key $joined -}}
{{- end }}
{{- range $pods }}{{ with .priorityClassName }}{{ $_ := set $result "priorityClassName" . }}{{ end }}{{ end -}}
{{- toYaml $result -}}
{{- end -}}

{{/* Labels and annotations of a pod: (dict "root" $ "component" NAME "pod" POD "container" [its own, where it isn't alone]). */}}
{{- define "evaluator.podMetadata" -}}
labels:
  {{- include "evaluator.selector" .root | nindent 2 }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  app.kubernetes.io/component: {{ .component }}
  {{- with merge (deepCopy (default dict .pod.labels)) (default dict .root.Values.labels) }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  checksum/config: {{ include "evaluator.config" .root | trim | sha256sum }}
  {{- with .container }}
  kubectl.kubernetes.io/default-container: {{ . }}
  {{- end }}
  {{- with .pod.annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* What stands beside the containers of a pod: (dict "root" $ "component" NAME "pod" POD "secrets" [names]). */}}
{{- define "evaluator.podSpec" -}}
serviceAccountName: {{ include "evaluator.serviceAccount" .root | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml (default dict .root.Values.podSecurityContext) | nindent 2 }}
{{- with .pod.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .pod.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: 256Mi}
  {{- with include "evaluator.secretSources" . }}
  - name: secrets
    projected:
      defaultMode: 0440
      sources:
        {{- . | trim | nindent 8 }}
  {{- end }}
  {{- with .pod.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/*
Spread over nodes and zones where that can be had: (dict "root" $ "component" NAME "pod" POD). Constraints that do not say whose
pods they count would count none, and do nothing: they are for the component's.
*/}}
{{- define "evaluator.spread" -}}
topologySpreadConstraints:
  {{- if .pod.topologySpreadConstraints }}
  {{- $own := include "evaluator.selector" .root | fromYaml | merge (dict "app.kubernetes.io/component" .component) }}
  {{- range .pod.topologySpreadConstraints }}
  - {{- toYaml (merge (deepCopy .) (dict "labelSelector" (hasKey . "labelSelector" | ternary .labelSelector (dict "matchLabels" $own)))) | nindent 4 }}
  {{- end }}
  {{- else }}
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "evaluator.selector" $.root | nindent 8 }}
        app.kubernetes.io/component: {{ $.component }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
  {{- end }}
{{- end -}}

{{/* Secrets as files of one volume; each is what the setting NAME_FILE names. */}}
{{- define "evaluator.secretSources" -}}
{{- $values := .root.Values -}}
{{- $sources := list -}}
{{- if $values.postgres.existingSecret -}}
{{- $sources = append $sources (list $values.postgres.existingSecret $values.postgres.key "DATABASE_URL") -}}
{{- end -}}
{{- if $values.redis.existingSecret -}}
{{- $kind := ternary (list $values.redis.urlKey "REDIS_URL") (list $values.redis.passwordKey "REDIS_PASSWORD") (not (empty $values.redis.urlKey)) -}}
{{- $sources = append $sources (prepend $kind $values.redis.existingSecret) -}}
{{- end -}}
{{- if and (eq .component "server") $values.adminToken.existingSecret -}}
{{- $sources = append $sources (list $values.adminToken.existingSecret $values.adminToken.key "ADMIN_TOKEN") -}}
{{- end -}}
{{- range $sources }}
- secret:
    name: {{ index . 0 | quote }}
    items: [{key: {{ index . 1 | quote }}, path: {{ index . 2 }}}]
{{- end }}
{{- end -}}

{{/* What all our containers have but for name, arguments, probes: (dict "root" $ "component" NAME "pod" POD "resources" R "env" [own variables]). */}}
{{- define "evaluator.container" -}}
{{- $values := .root.Values -}}
image: {{ include "evaluator.image" .root }}
imagePullPolicy: {{ $values.image.pullPolicy }}
securityContext:
  {{- toYaml (default dict $values.securityContext) | nindent 2 }}
envFrom:
  - configMapRef: {name: {{ include "evaluator.fullname" .root | quote }}}
  {{- with .pod.extraEnvFrom }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $env := list }}
{{- range include "evaluator.secretSources" . | fromYamlArray }}
{{- $setting := (first .secret.items).path }}
{{- $env = append $env (dict "name" (printf "%s_FILE" $setting) "value" (printf "/run/secrets/evaluator/%s" $setting)) }}
{{- end }}
{{- with concat $env (.env | default list) (.pod.extraEnv | default list) }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml (default dict .resources) | nindent 2 }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- if include "evaluator.secretSources" . }}
  - {name: secrets, mountPath: /run/secrets/evaluator, readOnly: true}
  {{- end }}
  {{- with .pod.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Nothing starts before the schema is the one that this version wants; whoever brings it up to date. */}}
{{- define "evaluator.waitForSchema" -}}
initContainers:
  - name: schema
    args: [migrate, --wait, {{ .root.Values.migration.waitSeconds | int64 | quote }}]
    {{- include "evaluator.container" (dict "root" .root "component" .component "pod" .pod "resources" .root.Values.migration.resources) | nindent 4 }}
{{- end -}}
