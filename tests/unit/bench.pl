#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What `make bench` stands on: that tests/bench/parse.pl reads each tool's output right, that a
# capture gives the intervals it holds, that medians, pairs and goals come out as by hand, and that
# bench_run counts what time(1) does not. No network, no speed.

use strict;
use warnings;
use File::Temp 'tempdir';

my ($root) = $0 =~ m{(.*)/tests/unit/[^/]*$};
chdir( $root // '.' ) or die "$root: $!\n";
my $box = tempdir( CLEANUP => 1 );
my ( $passed, $failed, $skipped ) = ( 0, 0, 0 );

sub is {
	my ( $what, $got, $want ) = @_;
	if ( $got eq $want ) { $passed++; return }
	$failed++;
	print "not so: $what\n  got:  ", $got =~ s/\n/ | /gr, "\n  want: ", $want =~ s/\n/ | /gr, "\n";
}

sub file {
	my ( $name, $bytes ) = @_;
	open my $out, '>:raw', "$box/$name" or die "$box/$name: $!\n";
	print $out $bytes;
	close $out or die "$box/$name: $!\n";
	return "$box/$name";
}

sub parse { my $said = `tests/bench/parse.pl @_ 2>&1`; $said =~ s/\n$//r }

# --- what tools print -----------------------------------------------------------------------------

# tool, what they print, hops, RTTs in ns, why
my @prints = (
	[ 'borderpath', '{"type":"trace","version":1,"dst":"10.64.0.9","hops":[{"ttl":1,"probes":[' .
		'{"attempt":1,"tx_us":1.0,"from":"198.51.100.1","rtt_ms":0.003986,"mpls":[{"label":3,' .
		'"exp":0,"s":1,"ttl":1}],"flags":[]},{"attempt":2,"tx_us":2.0,"from":null,"why":"timeout"}]},' .
		'{"ttl":2,"probes":[{"attempt":1,"from":"10.64.0.9","rtt_ms":null,"flags":["clock"]}]}],' .
		'"verdict":{"last_outside":{"ttl":10,"from":"188.43.225.153"},"evidence":[{"rule":"r",' .
		'"ttl":9,"from":"188.43.225.153","says":"khasan"}]}}' . "\n" . '{"type":"paths"}' . "\n",
		"10.64.0.9 1 198.51.100.1\n10.64.0.9 2 10.64.0.9", '10.64.0.9 1 1 3986',
		'an MPLS entry and evidence have TTLs and addresses too; a void RTT is none' ],
	[ 'scamper', '{"type":"cycle-start", "id":0}' . "\n" . '{"type":"trace","src":"198.51.100.200",' .
		' "dst":"192.0.2.9", "hops":[{"addr":"198.51.100.1", "probe_ttl":1, "probe_id":1, "tx":' .
		'{"sec":1, "usec":22340}, "rtt":0.020, "reply_ttl":64},{"addr":"192.0.2.9", "probe_ttl":3,' .
		' "probe_id":1, "rtt":120.5, "reply_ttl":55}]}' . "\n",
		"192.0.2.9 1 198.51.100.1\n192.0.2.9 3 192.0.2.9",
		"192.0.2.9 1 1 20000\n192.0.2.9 3 1 120500000", 'a silent hop is left out by scamper' ],
	[ 'mtr', "# 192.0.2.9\nx 0 33000\nh 0 198.51.100.1\np 0 37 33000\nx 1 33001\nx 2 33002\n" .
		"h 2 192.0.2.9\np 2 80 33002\nh 3 192.0.2.9\np 3 77 33003\nx 0 33004\np 0 39 33004\n",
		"192.0.2.9 1 198.51.100.1\n192.0.2.9 3 192.0.2.9\n192.0.2.9 1 198.51.100.1",
		"192.0.2.9 1 1 37000\n192.0.2.9 3 1 80000\n192.0.2.9 1 2 39000",
		'positions count from 0, and it probes beyond the destination' ],
	[ 'traceroute', "traceroute to 192.0.2.9 (192.0.2.9), 30 hops max, 60 byte packets\n" .
		" 1  198.51.100.1  0.018 ms 198.51.100.77  0.006 ms *\n 2  * * *\n" .
		"10  192.0.2.9  120.020 ms !X  0.017 ms  0.017 ms\n",
		"192.0.2.9 1 198.51.100.1\n192.0.2.9 1 198.51.100.77\n" .
		join( "\n", ('192.0.2.9 10 192.0.2.9') x 3 ),
		"192.0.2.9 1 1 18000\n192.0.2.9 1 2 6000\n192.0.2.9 10 1 120020000\n" .
		"192.0.2.9 10 2 17000\n192.0.2.9 10 3 17000", 'a new address holds until the next' ],
	[ 'traceroute', "traceroute to 2001:db8:2::1 (2001:db8:2::1), 30 hops max, 80 byte packets\n" .
		" 1  2001:db8:51::1  0.018 ms\n", '2001:db8:2::1 1 2001:db8:51::1',
		'2001:db8:2::1 1 1 18000', 'IPv6' ],
	[ 'fping', "192.0.2.9  : 0.095 - 1.06\n192.0.2.10 : -\nICMP Host Unreachable from 10.0.0.1\n",
		"192.0.2.9 0 192.0.2.9\n192.0.2.9 0 192.0.2.9", "192.0.2.9 0 1 95000\n192.0.2.9 0 2 1060000",
		'digits differ; lost ones are dashes' ],
);
for (@prints) {
	my ( $tool, $text, $hops, $rtts, $why ) = @$_;
	my $f = file( 'said', $text );
	is( "$tool, hops: $why", parse( 'hops', $tool, $f ), $hops );
	is( "$tool, RTTs: $why", parse( 'rtts', $tool, $f ), $rtts );
}

# What the wiring has against what a tool says.
my $truth = file( 'truth', "1 198.51.100.1\n2 198.51.100.2\n3 =\n" );
for ( [ " 1  198.51.100.1  1.0 ms  1.0 ms\n 3  192.0.2.9  1.0 ms\n", '2 0', 'a hop counts once' ],
	[ " 1  198.51.100.2  1.0 ms\n", '0 1', 'the right router at the wrong TTL is wrong' ],
	[ " 2  192.0.2.9  1.0 ms\n", '0 1', 'the destination before its TTL is wrong' ],
	[ " 3  192.0.2.9  1.0 ms\n 4  192.0.2.9  1.0 ms\n", '1 0', 'and beyond it, nothing new' ] ) {
	my ( $text, $want, $why ) = @$_;
	my $f = file( 'said', "traceroute to 192.0.2.9 (192.0.2.9), 30 hops max\n$text" );
	is( "count: $why", parse( 'count', 'traceroute', $truth, $f ), $want );
}

# --- captures -------------------------------------------------------------------------------------

sub ip4 {
	my ( $src, $dst, $ttl, $payload ) = @_;
	return pack( 'CCnnnCCn', 0x45, 0, 20 + length $payload, 1, 0, $ttl, 1, 0 ) .
		pack( 'C4C4', split( /\./, $src ), split( /\./, $dst ) ) . $payload;
}
sub echo { my ( $type, $id, $seq ) = @_; pack( 'CCnnn', $type, 0, 0, $id, $seq ) . 'x' x 8 }

sub frame {
	my ( $order, $s, $ns, $packet ) = @_;
	my $bytes = "\0" x 12 . pack( 'n', 0x800 ) . $packet;
	return pack( "${order}4", $s, $ns, (length $bytes) x 2 ) . $bytes;
}
my ( $vp, $dst ) = ( '198.51.100.200', '192.0.2.9' );

for my $order (qw(V N)) {
	my $ask = sub { my ( $ttl, $seq ) = @_; ip4( $vp, $dst, $ttl, echo( 8, 7, $seq ) ) };
	my $late = sub {
		my ($seq) = @_;
		ip4( '198.51.100.1', $vp, 64, pack( 'CCnN', 11, 0, 0, 0 ) . $ask->( 1, $seq ) );
	};
	my $f = file( 'pcap', pack( $order . 'x16' . $order, 0xa1b23c4d, 1 ) .
		frame( $order, 10, 999_999_000, $ask->( 1, 1 ) ) .
		frame( $order, 11, 500, $late->(1) ) .                    # over the second
		frame( $order, 11, 1000, $ask->( 3, 2 ) ) .
		frame( $order, 11, 4000, ip4( $dst, $vp, 60, echo( 0, 7, 2 ) ) ) .
		frame( $order, 11, 9000, ip4( $dst, $vp, 60, echo( 0, 7, 2 ) ) ) .   # the copy is later
		frame( $order, 11, 5000, $ask->( 2, 3 ) ) .               # never answered
		frame( $order, 11, 6000, $ask->( 1, 4 ) ) . frame( $order, 11, 6100, $ask->( 1, 4 ) ) .
		frame( $order, 11, 6200, $late->(4) ) .                   # whose? left out
		frame( $order, 11, 7000, $ask->( 64, 5 ) ) .              # a ping
		frame( $order, 11, 7300, ip4( $dst, $vp, 60, echo( 0, 7, 5 ) ) ) );
	is( "taps, byte order $order", parse( 'taps', $f ),
		"$dst 1 1 1500\n$dst 3 1 3000\n$dst 64 1 300\n$dst 0 1 300" );
}
my $t = file( 'taps', "$dst 1 1 1500\n$dst 3 1 3000\n" );
my $r = file( 'rtts', "$dst 3 1 2000\n$dst 1 1 1700\n$dst 3 2 5000\n" );
is( 'errors are absolute, and what has no pair is told', parse( 'errors', $t, $r ),
	"1000\n200\nunmatched 1" );

is( 'a list of addresses', scalar `tests/bench/addresses.pl 10.64.0.254/31`, "10.64.0.254\n10.64.0.255\n" );
is( 'in IPv6', scalar `tests/bench/addresses.pl 2001:db8:2::/127`, "2001:db8:2::\n2001:db8:2::1\n" );

my $stacks = file( 'stacks', join "\n", 'borderpath-prob ', map( { "\tffffffff81 $_ ([kernel.kallsyms])" }
			qw(tpacket_rcv dev_queue_xmit_nit net_rx_action __sys_sendmmsg) ), '',
	'borderpath-prob ', map( { "\tffffffff81 $_ ([kernel.kallsyms])" }
			qw(ip_forward net_rx_action __sys_sendmmsg) ), "\t   1f sendmmsg (/lib/libc.so.6)", '',
	'borderpath ', "\t   162 addr_kind (/somewhere/borderpath)", "\t 7f [unknown] ([unknown])", '',
	'borderpath ', "\t   16 memmove (/lib/libc.so.6)", '' );
is( 'a profile: the innermost work names a sample', parse( 'profile', $stacks ), join "\n",
	"share\tborderpath\tlibc.so.6\t25.0", "share\tborderpath\town code\t25.0",
	"share\tborderpath-probe\tkernel: capture\t25.0",
	"share\tborderpath-probe\tkernel: the lab forwards and answers\t25.0",
	"symbol\tborderpath\taddr_kind\tborderpath\t25.0",
	"symbol\tborderpath\tmemmove\tlibc.so.6\t25.0" );

# --- the report -----------------------------------------------------------------------------------

# case, tool, round, wall, user, sys, softirq, packets, right of true
sub result {
	my ( $case, $tool, $round, $wall, $cpu, $right, $true ) = @_;
	my $memory = $tool eq 'borderpath' ? 'borderpath-probe=12288,borderpath=6144' : "$tool=2048";
	return join( "\t", $case, $tool, $round, $wall, 0, $cpu, 0, 0, $true, $true, 0, $memory, $right, 0,
		$true ) . "\n";
}
file( 'about.tsv', "cores\t2\nquick\t0\n" );
file( 'results.tsv', join '',
	result( 'icmp4 1024', 'borderpath', 1, 0.2, 0.1, 10240, 10240 ),
	result( 'icmp4 1024', 'scamper', 1, 1.2, 0.2, 10240, 10240 ),
	result( 'icmp4 1024', 'scamper', 2, 1.2, 0.2, 10240, 10240 ),
	result( 'icmp4 1024', 'borderpath', 2, 0.3, 0.1, 10240, 10240 ),
	result( 'icmp4 1024', 'borderpath', 3, 0.1, 0.1, 10239, 10240 ),
	result( 'icmp4 1024', 'scamper', 3, 1.0, 0.1, 10240, 10240 ),
	"slow 1\tmtr\tmissing\n", result( 'slow 1', 'borderpath', 1, 0.3, 0.1, 9, 9 ) );
file( 'accuracy.tsv', "busy\tborderpath\tnear\t10\t0\t900\t0\nbusy\tborderpath\tfar\t10\t1\t16000\t0\n" );
my $report = scalar `tests/bench/report.pl $box text`;

sub row { my ($what) = @_; my ($line) = $report =~ /^(\Q$what\E  .*)$/m; ( $line // '' ) =~ s/  +/ | /gr }
my $what = '1024 targets, ICMP -q 1: faster than scamper -p 10000';
is( 'ratios are paired, then the median (6, 4, 10)', row($what),
	"$what | 6.00x (4.00x to 10.0x) | at least 5x | met | ours 0.20 s, scamper 1.20 s, floor not run" );
$what = "1024 targets: CPU, ours to scamper's";
is( 'CPU the other way round (0.5, 0.5, 1)', row($what),
	"$what | 0.50x (0.50x to 1.00x) | at most 0.9x | met | ours 0.10 s, scamper 0.20 s, floor not run" );
$what = 'one target, 120 ms, silent hop: -q 1 --rate max';
is( 'a goal that is missed, and a peer that is', row($what),
	"$what | 0.30 s | 0.25 s | short | traceroute not run, mtr not installed, scamper-defaults not run" );
$what = '65,536 targets';
is( 'what was not run is not judged', row($what) =~ / (not measured) / && $1, 'not measured' );
is( 'RTT goals', join( ' ', $report =~ /^RTT error.*?(met|short)/mg ), 'met short' );
is( 'the spread beside the median', $report =~ /borderpath +(0\.20 s \(0\.10 s to 0\.30 s\))/ && $1,
	'0.20 s (0.10 s to 0.30 s)' );

# --- accounting -----------------------------------------------------------------------------------

my $run = ( grep { -x } map { "$_/tests/bench/bench_run" } 'build', 'build/san' )[0];
if ( !defined $run ) {
	print "skip: bench_run is not built\n";
	$skipped++;
}
else {
	my $busy = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done';
	my $cost = sub {
		unlink "$box/cost";
		system( $run, '-t', $_[1] // 60, '-o', "$box/cost", '--', 'sh', '-c', $_[0] );
		open my $in, '<', "$box/cost" or return ('nothing') x 9;
		return split /\t/, <$in> =~ s/\n//r;
	};
	my @c = $cost->('exit 3');
	is( 'the status of the command', $c[7], 3 );
	is( 'memory of the program that ran', $c[8] =~ /^\w+=[1-9]\d+$/ ? 1 : "@c", 1 );
	my @alone = $cost->($busy);
	@c = $cost->("($busy) & exit 0");
	is( 'an orphan is waited for', $c[0] + $c[1] >= $c[2] * 0.9 ? 1 : "@c", 1 );
	is( 'an orphan\'s time counts', $c[2] + $c[3] > 0.2 * ( $alone[2] + $alone[3] ) ? 1 : "@c", 1 );
	# The shell knows what it and the children it waited for have used.
	@c = $cost->("($busy) & wait; times >$box/times");
	open my $times, '<', "$box/times" or die "times: $!\n";
	my $used = 0;
	while (<$times>) { $used += 60 * $1 + $2 while /(\d+)m([\d.]+)s/g }
	is( 'nobody\'s time counts twice', abs( $c[2] + $c[3] - $used ) < 0.05 + 0.1 * $used ? 1 : "$used, @c",
		1 );
	@c = $cost->( 'sleep 60', 1 );
	is( 'an end that is late is cut off, and said', $c[7], 124 );
}

print "$passed passed, $failed failed, $skipped skipped\n";
exit( $failed > 0 );
