# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tools.sh: how bench.sh runs each tool: the command, where its data goes, and how it is shown.
# A tool's name is the program's, and what is special behind a dash.
#
# Read by tool_cmd: FAMILY METHOD TARGETS PREFIX LIST OUT. Set by it: CMD, the words to run, and
# PARSE, the reader of parse.pl for its data ("-": none).

# shellcheck disable=SC2034  # what bench.sh reads

OUT=$LAB_TMP/out
CMD=() PARSE=- GEO_FILES=() GEO_SAYS=''

# Borderpath names and judges while it measures, with the free databases where they were made.
tool_setup()
{
	local dir=$LAB_BUILD/geodata
	BP_GEO=()
	[[ -s $dir/asn.mmdb ]] || dir=$LAB_ROOT/build/geodata
	if [[ -s $dir/asn.mmdb && -s $dir/country.mmdb ]]; then
		GEO_FILES=("$dir/asn.mmdb" "$dir/country.mmdb")
		BP_GEO=(--asn-db "${GEO_FILES[0]}" --country-db "${GEO_FILES[1]}")
		GEO_SAYS="free databases of make geodata (ASN with organisation, country)"
	else
		GEO_SAYS="none: make geodata was not run, so names come from the profile alone"
	fi
}

borderpath_cmd()	# OPTION...
{
	CMD=("$BORDERPATH" trace --vantage bench --profile "$BENCH_DIR/bench.yaml" "${BP_GEO[@]}"
		-n "$@" --format jsonl -o "$OUT" "$PREFIX")
	PARSE=borderpath
}

scamper_cmd()	# TRACE-OPTION...
{
	local how=$METHOD-paris
	local how_else=()
	# Its datalink TCP wants an Ethernet gateway found by ARP, which unnumbered links have not; its
	# Paris UDP over IPv6 sends probes whose answers it does not know again (both 20211212).
	case $METHOD$FAMILY in
	tcp4) how="tcp -d 80" how_else=(-O rawtcp) ;;
	tcp6) how="tcp -d 80" ;;
	udp6) how=udp ;;
	esac
	CMD=(scamper -O json "${how_else[@]}" -o "$OUT" -p 10000 -c "trace -P $how $*" -f "$LIST")
	PARSE=scamper
}

tool_cmd()	# TOOL
{
	local first
	first=$(head -n 1 "$LIST")
	case $1 in
	borderpath) borderpath_cmd -M "$METHOD" -q 1 --rate max ;;
	borderpath-defaults) borderpath_cmd ;;
	scamper) scamper_cmd -q 1 ;;
	scamper-tuned) scamper_cmd -q 1 -w 1 ;;
	# Four TTLs at a time: more probes than hops, and the fastest that does not know the path.
	scamper-parallel) scamper_cmd -q 1 -w 1 -N 4 ;;
	scamper-defaults) CMD=(scamper -O json -o "$OUT" -i "$first") PARSE=scamper ;;
	traceroute) CMD=(traceroute -n "$first") PARSE=traceroute ;;
	mtr) CMD=(mtr -n -c 1 --raw "$first") PARSE=mtr ;;
	# No pause between targets or rounds, as many a time as the others probe a hop.
	fping) CMD=(fping -q -C 1 -i 0.1 -f "$LIST") PARSE=fping ;;
	floor)
		local src=198.51.100.200
		((FAMILY == 4)) || src=2001:db8:51::c8
		CMD=("$LAB_BUILD/tests/bench/bench_blast" "$PREFIX" "$HOPS" "$src") PARSE=- ;;
	*) return 1 ;;
	esac
}

# tool_output TOOL: what parse.pl is to read lies in OUT.
tool_output()
{
	case $1 in
	traceroute*) mv "$OUT.said" "$OUT" ;;
	mtr*) { echo "# $(head -n 1 "$LIST")"; cat "$OUT.said"; } >"$OUT" ;;
	fping*) mv "$OUT.err" "$OUT" ;;
	esac
}

# tool_shown: CMD for people: no paths of this machine, quoted where a shell needs it.
tool_shown()
{
	local w shown='' last=''
	for w in "${CMD[@]}"; do
		case $last in
		--profile) w=tests/bench/bench.yaml ;;
		--asn-db | --country-db) w=build/geodata/${w##*/} ;;
		-o) w=FILE ;;
		-f) w=LIST ;;
		esac
		last=$w
		[[ $w != */* || $w == */[0-9]* || $w == tests/* || $w == build/* ]] || w=${w##*/}
		[[ $w != *' '* ]] || w="'$w'"
		shown+="$w "
	done
	echo "${shown% }"
}
