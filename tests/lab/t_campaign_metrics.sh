#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Metrics of a campaign that runs: scraped during rounds, through a move of the way in, a silent
# network, a cable that is pulled, clients that stay, a reload and a port that somebody has; and the
# textfile of `run` and of `once`. Topology: topo_borders.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/campaign.sh"
campaign_enter "$@"
command -v curl >/dev/null || lab_skip "curl is not installed"
borders_up talking

port=9923
file=$LAB_TMP/daily.prom
scrape() { at vp curl -sf --noproxy '*' -m 5 "http://127.0.0.1:$port/metrics"; }
# value SERIES [FILE]: with the labels behind campaign and vantage, as {reach="silent"}.
value()
{
	local name=${1%%\{*} labels=${1#"${1%%\{*}"}
	labels=${labels#\{}
	if [[ -n ${2:-} ]]; then cat "$2"; else scrape; fi |
		awk -v s="$name{campaign=\"daily\",vantage=\"vp\"${labels:+,${labels%\}}}} " \
			'index($0, s) == 1 {print $NF}'
}
shows() { [[ $(value "$1") == "$2" ]]; }
at_least() { local v; v=$(value "$1") && [[ -n $v ]] && ((v >= $2)); }
p176='prefix="175.45.176.0/24",method="icmp"'
p178='prefix="175.45.178.0/24",method="icmp"'
promtool_likes()
{
	if ! command -v promtool >/dev/null; then
		skip "$1: promtool is not installed"
	else
		is "$1" "$(promtool check metrics <"$2" 2>&1)" ''
	fi
}

# 1. Rounds, and a page that tells of them.
plan daily 1s $'targets: [175.45.176.71, 175.45.178.3]\nreference: [87.250.250.242]'
echo "metrics: {listen: '127.0.0.1:$port', textfile: $file}" >>"$LAB_TMP/daily.yaml"
start_campaign daily
wait_for 5 scrape || not_ok "the page is there before the first round ends: $(cat "$ERR")"
wait_for 15 at_least 'borderpath_rounds_total{result="complete"}' 2 || not_ok "two rounds: $(cat "$ERR")"
scrape >"$LAB_TMP/page"
promtool_likes "promtool likes the page" "$LAB_TMP/page"
is "the way into .176" "$(value "borderpath_border{$p176,border=\"dandong\"}")" 1
is "and no other" "$(value "borderpath_border{$p176,border=\"khasan\"}")" 0
is "the way into .178" "$(value "borderpath_border{$p178,border=\"khasan\"}")" 1
is "it answers" "$(value "borderpath_reach{$p176,reach=\"reached\"}")" 1
is "without loss" "$(value "borderpath_loss_ratio{$p176}")" 0
like "its time" "$(value "borderpath_rtt_min_seconds{$p176}")" '^0\.0[0-9]+$'
is "the vantage point is healthy" "$(value borderpath_vantage_healthy)" 1
is "a round every second" "$(value borderpath_round_interval_seconds)" 1
age=$(($(date +%s) - $(value borderpath_last_round_timestamp_seconds | cut -d . -f 1)))
is "the last round is new" "$((age >= 0 && age <= 10))" 1
is "nobody's address is on it" "$(grep -oE '(175\.45\.17[68]\.(71|3)|87\.250|203\.0\.113\.2|219\.158|188\.43)[^0-9/]' \
	"$LAB_TMP/page")" ''
is "the textfile's mode" "$(stat -c %a "$file")" 644
promtool_likes "promtool likes the textfile" "$file"
is "it has the series of the page" "$(sed 's/ [^ ]*$//' "$file" | grep -v '^#' | sort)" \
	"$(sed 's/ [^ ]*$//' "$LAB_TMP/page" | grep -v '^#' | sort)"

# 2. All places taken by clients that say nothing: rounds go on.
# shellcheck disable=SC2016
at vp bash -c 'for i in {1..40}; do exec {fd}<>"/dev/tcp/127.0.0.1/$0"; printf G >&"$fd"; done; exec sleep 100' "$port" &
idle=$!
: >"$OUT"
wait_for 15 measured 2 || not_ok "rounds go on while clients stay: $(cat "$ERR")"
kill "$idle"
wait_for 20 scrape || not_ok "the page comes back when they go"

# 3. The way in moves.
move_route 175.45.176.0/24 k
wait_for 10 shows "borderpath_border{$p176,border=\"khasan\"}" 1 || not_ok "the new way in is shown"
is "the old one is not" "$(value "borderpath_border{$p176,border=\"dandong\"}")" 0
wait_for 15 at_least 'borderpath_events_total{kind="border_switch"}' 1 ||
	not_ok "a switch is counted: $(cat "$ERR")"
is "once" "$(value 'borderpath_events_total{kind="border_switch"}')" 1

# 4. A network is silent: it keeps its reach, and has no time.
cut_path x1 175.45.178.0/24
wait_for 15 shows "borderpath_reach{$p178,reach=\"silent\"}" 1 || not_ok "silence is shown: $(scrape)"
is "loss" "$(value "borderpath_loss_ratio{$p178}")" 1
is "no time" "$(value "borderpath_rtt_min_seconds{$p178}")" ''
wait_for 20 shows "borderpath_event_active{$p178,kind=\"outage\"}" 1 ||
	not_ok "the outage is under way: $(scrape | grep 'active.*outage') $(cat "$ERR")"
is "of it alone" "$(value "borderpath_event_active{$p176,kind=\"outage\"}")" 0
cut_path x1 off
wait_for 15 shows "borderpath_reach{$p178,reach=\"reached\"}" 1 || not_ok "it answers again"

# 5. SIGHUP: another port, and the counters go on.
before=$(value 'borderpath_rounds_total{result="complete"}')
sed -i 's/:9923/:9924/' "$LAB_TMP/daily.yaml"
kill -HUP "$DAEMON"
port=9924
wait_for 10 scrape || not_ok "the new port: $(cat "$ERR")"
is "the counters go on" "$(($(value 'borderpath_rounds_total{result="complete"}') >= before))" 1
is "so do the events" "$(value 'borderpath_events_total{kind="border_switch"}')" 1
port=9923
scrape >/dev/null && not_ok "the old port is still served"
stop_campaign
is "exit" $? 0

# 6. Somebody has the port: told, and measured all the same.
listen_on vp 9923 127.0.0.1
sed -i 's/:9924/:9923/' "$LAB_TMP/daily.yaml"
start_campaign daily
wait_for 15 measured 1 || not_ok "it measures without a port: $(cat "$ERR")"
like "what it says of the port" "$(cat "$ERR")" 'somebody else listens at 127.0.0.1:9923'
stop_campaign

# 7. Once, by cron: no port, but the file; as of this round.
rm "$file"
bp vp campaign once --quiet "$LAB_TMP/daily.yaml" >"$LAB_TMP/quiet" 2>&1
is "once: exit" $? 0
is "once --quiet with a port that is taken: nothing is said" "$(cat "$LAB_TMP/quiet")" ''
is "its file has the round" "$(value 'borderpath_rounds_total{result="complete"}' "$file")" 1
is "and the way in" "$(value "borderpath_border{$p176,border=\"khasan\"}" "$file")" 1
mkdir "$file.tmp" 2>/dev/null
bp vp campaign once "$LAB_TMP/daily.yaml" >"$OUT" 2>"$ERR"
is "a file that cannot be written: exit" $? 0
like "and what is said" "$(cat "$ERR")" "metrics: cannot write $file.tmp"
rmdir "$file.tmp"

# 8. Our own cable is pulled: no outage of anybody's, and what was seen last stays.
port=9924
sed -i 's/:9923/:9924/' "$LAB_TMP/daily.yaml"
start_campaign daily
wait_for 15 at_least 'borderpath_rounds_total{result="complete"}' 1 || not_ok "a round: $(cat "$ERR")"
ip -n vp link set t1 down
wait_for 15 at_least 'borderpath_rounds_total{result="missed"}' 1 ||
	not_ok "the cable is noticed: $(scrape | grep -E '^borderpath_(vantage_healthy|rounds_total)')"
last=$(value borderpath_last_round_timestamp_seconds)
: >"$OUT"
wait_for 15 announced 2
is "the way in stays as it was seen" "$(value "borderpath_border{$p176,border=\"khasan\"}")" 1
is "it answered when it was measured" "$(value "borderpath_reach{$p176,reach=\"reached\"}")" 1
is "when that was" "$(value borderpath_last_round_timestamp_seconds)" "$last"
is "no outage of theirs" "$(value "borderpath_event_active{$p176,kind=\"outage\"}")" 0
stop_campaign

finish
