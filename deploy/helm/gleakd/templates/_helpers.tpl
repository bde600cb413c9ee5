{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- define "gleakd.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "gleakd.selector" -}}
app.kubernetes.io/name: gleakd
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gleakd.labels" -}}
{{ include "gleakd.selector" . }}
app.kubernetes.io/component: agent
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
