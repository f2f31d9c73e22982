#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/unit/cli/rounds.pl VANTAGE FIRST COUNT [FROM-TO:WHERE:STATE]... - rounds of a campaign as a vantage
# point would have recorded them, as JSON Lines without verdicts: COUNT of them, a quarter of an hour
# apart from FIRST (seconds since 1970). Each traces two hosts in each of two networks, 10 and 20, in
# two flows. From round FROM to TO (from 0) WHERE (10, 20, all) is in STATE:
#	west, east	enters by that border (west where nothing is said), 280 ms and 180 ms
#	slow		by the west, 40 ms more behind the border
#	silent		by the west, the hosts do not answer, routers inside do
#	cut		ends before the border
#	missed		nobody measured (of the whole round: all)
#	offline		nobody answers at all, and the vantage point knows it (all)

use strict;
use warnings;

my ($vantage, $first, $count, @spec) = @ARGV;
my $seed = 0;
$seed = ($seed * 31 + ord) % 65521 for split //, $vantage;

sub noise { $seed = ($seed * 16807) % 2147483647; return $seed % 1000 / 1000 }

sub stamp {
	my ($s) = @_;
	my @t = gmtime int $s;
	return sprintf '%04d-%02d-%02dT%02d:%02d:%02d.%09dZ', $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0],
		($s - int $s) * 1e9;
}

sub state_of {
	my ($round, $network) = @_;
	my $state = 'west';
	for (@spec) {
		my ($from, $to, $where, $is) = /^(\d+)-(\d+):(\w+):(\w+)$/ or die "rounds.pl: $_\n";
		$state = $is if $round >= $from && $round <= $to && ($where eq 'all' || $where eq $network);
	}
	return $state;
}

sub hop {
	my ($ttl, $from, $ms, $type) = @_;
	my $probe = defined $from
		? sprintf('"from":"%s","rtt_ms":%.3f,"icmp_type":%d,"icmp_code":0,"reply_ttl":%d', $from,
			$ms + noise(), $type, 64 - $ttl)
		: '"from":null,"why":"timeout"';
	return qq({"ttl":$ttl,"probes":[{"attempt":1,"tx_us":$ttl.000,$probe,"flags":[]}]});
}

my $seq = 0;
sub trace {
	my ($start, $round, $dst, $flow, $state) = @_;
	my ($n) = $dst =~ /\.(\d+)\.\d+$/;
	my $east = $state eq 'east';
	my $all = $state ne 'offline';
	my $far = $east ? 180 : $state eq 'slow' ? 320 : 280;
	my $in = $all && $state ne 'cut';
	my $there = $in && $state ne 'silent';
	my @hops = (hop(1, $all ? '203.0.113.1' : undef, 1, 11),
		hop(2, $all ? "62.10.0.$flow" : undef, 10, 11),
		hop(3, $in ? $east ? '192.0.2.200' : '192.0.2.1' : undef, $east ? 100 : 200, 11),
		hop(4, undef), hop(5, $in ? "198.18.$n.254" : undef, $far - 5, 11),
		hop(6, $there ? $dst : undef, $far, 0));
	printf '{"type":"trace","version":1,"id":"%s-1-%d","vantage":"%s","src":"203.0.113.9","dst":"%s",'
		. '"target":"%s","method":"icmp","flow":%d,"start":"%s","end":"%s","stop":"%s","reach":"%s",'
		. '"stamps":"pcap","attempts":1,"campaign":"nk","round":"%s","hops":[%s]}' . "\n", $vantage, ++$seq,
		$vantage, $dst, $dst, $flow, stamp($start), stamp($start + 2), $there ? 'reached' : 'gap_limit',
		$there ? 'reached' : 'silent', $round, join ',', @hops;
}

for my $i (0 .. $count - 1) {
	my $planned = $first + 900 * $i;
	my $id = "nk-$vantage-$planned";
	my $missed = state_of($i, 'all') eq 'missed';
	my $offline = state_of($i, 'all') eq 'offline';
	my $k = 0;
	for my $n ($missed ? () : (10, 20)) {
		for my $host (1, 2) {
			for my $flow (0, 1) {
				trace($planned + 1 + $k++ / 4, $id, "198.18.$n.$host", $flow, state_of($i, $n));
			}
		}
	}
	printf '{"type":"round","version":1,"id":"%s","campaign":"nk","vantage":"%s","planned":"%s",', $id,
		$vantage, stamp($planned);
	printf '"start":"%s","end":"%s",', stamp($planned + 1), stamp($planned + 6) unless $missed;
	printf '"expected":8,"done":%d,"traces":%d,"missed":%d,%s"health":{"state":"%s"}}' . "\n",
		$missed ? (0, 0, 8, '"why":"down",', 'unknown')
			: (8, 8, 0, '', $offline ? 'offline' : 'ok');
}
