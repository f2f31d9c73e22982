#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What is shipped for Prometheus and Grafana fits the page that the program makes (the golden pages,
# which test_metrics holds the program to): rules, dashboard and doc/metrics.md use its metrics and
# labels and no others, and what promtool says of them. Without promtool or jq that part is skipped.

set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/counts.sh
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
pages=tests/golden/metrics
rules=packaging/prometheus/borderpath.rules.yml
dashboard=packaging/grafana/borderpath.json

same() { diff -u "$1" "$2"; }
silent() { [ -z "$("$@" 2>&1 | tee "$box/said")" ] || { cat "$box/said"; return 1; }; }
is_list() { [ "$1" = "$2" ] || { printf '%s\nwant\n%s\n' "$1" "$2"; return 1; }; }

# NAME TYPE LABEL: of every metric, its label beside those that all have.
sed -nE 's/^# TYPE ([a-z_]+) ([a-z]+)$/\1 \2/p' "$pages/empty.prom" | while read -r name type; do
	label=$(sed -nE "s/^$name\{(.*)\} .*/\1/p" "$pages/everything.prom" | grep -oE '[a-z_]+="' | tr -d '="' |
		grep -vxE 'campaign|vantage|prefix|method' | sort -u)
	echo "$name $type $label"
done >"$box/page"
check "the page has metrics" test "$(wc -l <"$box/page")" -gt 20
check "each has a series" silent grep -vxFf <(sed -nE 's/^([a-z_]+)\{.*/\1/p' "$pages/everything.prom" | sort -u) \
	<(cut -d ' ' -f 1 "$box/page")

sed -nE 's/^\| `(borderpath_[a-z_]+)` \| ([a-z]+) \| (`([a-z]+)`)? ?\| .*/\1 \2 \4/p' doc/metrics.md >"$box/doc"
check "doc/metrics.md tells of each, in the page's order" same "$box/page" "$box/doc"
# Each word of an enumeration stands in a line of its label.
while read -r name _ label; do
	[[ -n $label && $label != version ]] || continue
	line=$(grep -F "| \`$label\` |" doc/metrics.md)
	for word in $(sed -nE "s/^$name\{.*,$label=\"([a-z_]+)\".*/\1/p" "$pages/everything.prom" | sort -u); do
		case $word in
		east | west) ;; # a profile's own
		*) check "$name: $word is told" grep -qF "\`$word\`" <<<"$line" ;;
		esac
	done
done <"$box/page"
check "units are base units" silent grep -E '_(ms|us|minutes|percent|bytes)($|_)' "$box/page"
check "counters end in _total, and nothing else does" silent awk \
	'($2 == "counter") != ($1 ~ /_total$/)' "$box/page"

# What rules and queries name: metrics of the page, and of each the labels that it has.
names() { grep -oE 'borderpath_[a-z_]+' | sort -u; }
fits() {
	local name label
	while read -r name; do
		grep -q "^$name " "$box/page" || { echo "$name is not on the page"; return 1; }
	done < <(names <"$1")
	while IFS='{' read -r name label; do
		for label in $(grep -oE '[a-z_]+(=~|!=|=)' <<<"$label" | tr -d '=~!'); do
			grep -qE "^(campaign|vantage|prefix|method)$" <<<"$label" ||
				grep -q "^$name .* $label\$" "$box/page" ||
				{ echo "$name has no $label"; return 1; }
			[[ $label != prefix && $label != method ]] ||
				grep -q "^$name{.*,$label=" "$pages/everything.prom" ||
				{ echo "$name has no $label"; return 1; }
		done
	done < <(grep -oE 'borderpath_[a-z_]+\{[^}]*' "$1")
}
check "the rules use the page's metrics and labels" fits "$rules"
alerts=$(sed -nE 's/^ *- alert: //p' "$rules")
check "doc/metrics.md tells of each alert" is_list \
	"$(sed -nE 's/^\| `(Borderpath[A-Za-z]+)` .*/\1/p' doc/metrics.md)" "$alerts"
check "and of its severity" is_list \
	"$(sed -nE 's/^\| `Borderpath[A-Za-z]+` \| ([a-z]+) .*/\1/p' doc/metrics.md)" \
	"$(sed -nE 's/^ *labels: \{severity: ([a-z]+)\}/\1/p' "$rules")"
for alert in $alerts; do
	check "$alert fires in a test" grep -qE "^ *(alertname: $alert|.*alertname: $alert)\$" tests/unit/metrics_rules.yml
done

if command -v jq >/dev/null; then
	check "the dashboard is JSON" jq -e '.panels | length > 10' "$dashboard"
	jq -r '[.. | objects | (.expr // empty), (.query // empty | strings)] | .[]' "$dashboard" >"$box/queries"
	check "it asks something" test "$(names <"$box/queries" | wc -l)" -gt 12
	check "its queries use the page's metrics and labels" fits "$box/queries"
	# shellcheck disable=SC2016 # Grafana's variable, and jq's
	check "every panel has a query of the chosen data source, a title and a place" jq -e \
		'[.panels[] | select((.targets | length) == 0 or .title == "" or .gridPos == null or
		([.targets[].datasource.uid] | unique) != ["${datasource}"])] == []' "$dashboard"
	check "ids are unique" jq -e '[.panels[].id] | length == (unique | length)' "$dashboard"
	# shellcheck disable=SC2016
	check "no panel lies on another" jq -e '[.panels[].gridPos] | [range(length) as $i | range($i) as $j |
		select(.[$i].x < .[$j].x + .[$j].w and .[$j].x < .[$i].x + .[$i].w and
		.[$i].y < .[$j].y + .[$j].h and .[$j].y < .[$i].y + .[$i].h)] == []' "$dashboard"
	check "every variable of a query is one of the dashboard" is_list \
		"$(grep -oE '\$[a-z_]+' "$box/queries" | grep -v '^\$__' | sort -u | tr -d '\n')" "\$campaign\$prefix\$vantage"
	borders=$(sed -nE '/^borders:/,/^[a-z]+:$/{/^borders:/d; s/^  - id: ([a-z_]+)$/\1/p}' profiles/dprk.yaml)
	check "it shows the borders of the profile dprk" is_list "$(jq -r '.panels[] | select(.title == "Border") |
		.targets[].expr' "$dashboard" | grep -oE 'border="[a-z_]+"' | cut -d '"' -f 2)" \
		"$borders"$'\nother\nmixed\nundetermined'
else
	skip "jq is not installed"
fi

if command -v promtool >/dev/null; then
	for page in "$pages"/*.prom; do
		check "promtool check metrics: ${page##*/}" silent timeout 60 promtool check metrics <"$page"
	done
	check "promtool check rules" timeout 60 promtool check rules "$rules"
	check "promtool test rules" timeout 120 promtool test rules tests/unit/metrics_rules.yml
	if [ -s "$box/queries" ]; then
		# The dashboard's queries, as rules that record something, are read by Prometheus too.
		jq '{groups: [{name: "dashboard", rules: ([.. | objects | .expr // empty | strings |
			gsub("\\$__interval"; "5m") | gsub("\\$[a-z]+"; ".*")] | to_entries |
			map({record: "q:\(.key)", expr: .value}))}]}' "$dashboard" >"$box/queries.yml"
		check "promtool reads the dashboard's queries" timeout 60 promtool check rules "$box/queries.yml"
		border=$(jq '[.groups[].rules[] | select(.expr | test("borderpath_border")) | .record][0]' "$box/queries.yml")
		{
			printf 'rule_files: [queries.yml]\ntests:\n  - interval: 1m\n    input_series:\n'
			sed -nE 's/^(borderpath_border\{.*vantage="fra1".*method="icmp".*\}) ([01])$/      - {series: '"'\1'"', values: \2x10}/p' \
				"$pages/everything.prom" | sed 's/"west"/"khasan"/; s/"east"/"dandong"/'
			printf '    promql_expr_test:\n      - expr: %s\n        eval_time: 5m\n        exp_samples:\n' "$border"
			printf '          - {labels: %s, value: 2}\n' \
				"'{__name__=$border, campaign=\"c\", vantage=\"fra1\", prefix=\"203.0.113.0/24\", method=\"icmp\"}'"
		} >"$box/dashboard_test.yml"
		check "the border panel's number is the border's" timeout 60 promtool test rules "$box/dashboard_test.yml"
	fi
else
	skip "promtool is not installed (Debian: prometheus)"
fi

counted
