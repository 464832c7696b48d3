#!/usr/bin/env bash
# What checks chart and kustomizations, in .tools: each program at the version below, made once. Needs Go 1.26 and .venv.
#
#   deploy/tools.sh          install what is missing
set -euo pipefail
cd "$(dirname "$0")/.."

PROGRAMS="
helm3        helm.sh/helm/v3/cmd/helm                   v3.22.0
helm4        helm.sh/helm/v4/cmd/helm                   v4.3.1
kubeconform  github.com/yannh/kubeconform/cmd/kubeconform v0.8.0
kube-score   github.com/zegl/kube-score/cmd/kube-score  v1.20.0
helm-docs    github.com/norwoodj/helm-docs/cmd/helm-docs v1.14.2
kustomize    sigs.k8s.io/kustomize/kustomize/v5         v5.8.2
kustomize-oldest sigs.k8s.io/kustomize/kustomize/v5     v5.0.3
"
# kube-linter, polaris and chart-testing are not served by Go's module proxy (25 November 2026). Checkov looks for most of
# what the first two would, tests/deploy/test_chart*.py for the rest, and those tests do what chart-testing does.
CHECKOV=3.3.30
# The oldest Kubernetes that the chart allows, the one of `make e2e`, and the newest.
KUBERNETES="v1.30.14 v1.34.4 v1.37.2"
KEDA=github.com/kedacore/keda/v2@v2.20.2
PROMETHEUS_OPERATOR=github.com/prometheus-operator/prometheus-operator@v0.85.0

command -v go >/dev/null || { echo "go is not installed: it builds helm and what checks the chart" >&2; exit 1; }
mkdir -p .tools/bin

module_folder() { # of MODULE@VERSION, unpacked; Go compares it with its checksum database
  (cd / && go mod download -json "$1") | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}

while read -r name package version; do
  [ -n "$name" ] || continue
  folder=.tools/$name-$version
  program=$(basename "${package%/v[0-9]}")
  [ -x "$folder/$program" ] || {
    echo "building $name $version"
    (cd / && GOBIN=$OLDPWD/$folder GOFLAGS= go install "$package@$version")
  }
  ln -sfn "../$name-$version/$program" ".tools/bin/$name"
done <<<"$PROGRAMS"

[ -x ".tools/checkov-$CHECKOV/bin/checkov" ] || {
  echo "installing checkov $CHECKOV"
  UV=$(command -v uv || echo .uv/bin/uv)
  "$UV" venv --quiet ".tools/checkov-$CHECKOV"
  "$UV" pip install --quiet --python ".tools/checkov-$CHECKOV/bin/python" "checkov==$CHECKOV"
}
ln -sfn "../checkov-$CHECKOV/bin/checkov" .tools/bin/checkov

schemas() { # FOLDER FILE...
  [ -d "$1" ] || .venv/bin/python -m tests.deploy.schemas "$@"
}

for version in $KUBERNETES; do
  schemas ".tools/schemas/$version" "$(module_folder "k8s.io/kubernetes@$version")/api/openapi-spec/swagger.json"
done
keda=$(module_folder "$KEDA")/config/crd/bases/keda.sh
operator=$(module_folder "$PROMETHEUS_OPERATOR")/example/prometheus-operator-crd/monitoring.coreos.com
schemas .tools/schemas/custom "$keda"_{scaledobjects,triggerauthentications}.yaml \
  "$operator"_{servicemonitors,podmonitors,prometheusrules}.yaml
