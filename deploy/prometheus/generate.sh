#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes gleakd.rules.yml and dashboards/gleakd.json out of mixin/, for those who do not use jsonnet.
#
#	deploy/prometheus/generate.sh [FOLDER]		where to put them; here by default
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
mkdir -p "$out/dashboards"

{
	echo '# SPDX-License-Identifier: Apache-2.0'
	echo '# Generated from mixin/ by generate.sh: change that.'
	jsonnet -J "$here/mixin" -S -e "
		local mixin = import 'mixin.libsonnet';
		std.manifestYamlDoc({
			groups: mixin.prometheusAlerts.groups + mixin.prometheusRules.groups,
		}, indent_array_in_object=true, quote_keys=false)"
} >"$out/gleakd.rules.yml.new"
mv "$out/gleakd.rules.yml.new" "$out/gleakd.rules.yml"

jsonnet -J "$here/mixin" -e "(import 'mixin.libsonnet').grafanaDashboards['gleakd.json']" \
	>"$out/dashboards/gleakd.json.new"
mv "$out/dashboards/gleakd.json.new" "$out/dashboards/gleakd.json"
