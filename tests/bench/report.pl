#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/bench/report.pl DIR text|md - the figures that bench.sh left in DIR as a table for the
# terminal, or as doc/benchmarks.md. Measures nothing. Whether a goal is met is told by the medians;
# what cannot be told (a peer missing, a case not run) is said, never guessed; a time for work that
# was not done is void.

use strict;
use warnings;

my ( $dir, $form ) = @ARGV;
die "usage: report.pl DIR text|md\n" unless defined $form && $form =~ /^(?:text|md)$/;

# --- what was measured ----------------------------------------------------------------------------

sub lines {
	open my $in, '<', "$dir/$_[0].tsv" or return;
	map { chomp; [ split /\t/, $_, -1 ] } <$in>;
}

my %about = map { @$_[ 0, 1 ] } lines('about');
my @column = qw(wall linger user sys softirq tx rx exit memory right wrong true);
my ( %run, %missing, @cases, %tools );    # $run{case}{tool}{round}{column}
for ( lines('results') ) {
	my ( $case, $tool, $round, @v ) = @$_;
	push @cases, $case unless $tools{$case};
	push @{ $tools{$case} }, $tool unless grep { $_ eq $tool } @{ $tools{$case} // [] };
	if ( $round eq 'missing' ) { $missing{$case}{$tool} = 1; next }
	my %r;
	@r{@column} = @v;
	$r{cpu} = $r{user} + $r{sys} + $r{softirq};
	$run{$case}{$tool}{$round} = \%r;
}
# The order of the first round, whatever a later one began with.
my %order = do { my $i = 0; map { $_ => $i++ } qw(borderpath borderpath-defaults) };
@{ $tools{$_} } = sort { ( $order{$a} // 9 ) <=> ( $order{$b} // 9 ) } @{ $tools{$_} } for @cases;

my ( %error, %error_missing );    # $error{load}{tool}{tap}{n|p50|p99} = [one a round]
for ( lines('accuracy') ) {
	my ( $load, $tool, $tap, @v ) = @$_;
	if ( $tap eq 'missing' ) { $error_missing{$load}{$tool} = 1; next }
	next if $v[0] == 0;
	push @{ $error{$load}{$tool}{$tap}{ (qw(n p50 p99 unmatched))[$_] } }, $v[$_] for 0 .. 3;
}
my %packet = map { $_->[0] => [ @$_[ 1 .. 3 ] ] } lines('packet');
my @packet = map { $_->[0] } lines('packet');

# --- figures --------------------------------------------------------------------------------------

sub median {
	my @v = sort { $a <=> $b } @_ or return undef;
	return @v % 2 ? $v[ $#v / 2 ] : ( $v[ @v / 2 - 1 ] + $v[ @v / 2 ] ) / 2;
}
sub sum  { my $s = 0; $s += $_ for @_; $s }
sub low  { my @v = sort { $a <=> $b } @_; $v[0] }
sub high { my @v = sort { $b <=> $a } @_; $v[0] }

sub values_of {
	my ( $case, $tool, $what ) = @_;
	return map { $_->{$what} } values %{ $run{$case}{$tool} // {} };
}
sub of { median( values_of(@_) ) }

# Peak memory of one program, kB: the highest of all rounds.
sub memory {
	my ( $case, $tool, $program ) = @_;
	return high( map { /(?:^|,)\Q$program\E=(\d+)/ ? $1 : () } values_of( $case, $tool, 'memory' ) );
}

# Paired: each round's ratio, then their median.
sub ratios {
	my ( $case, $over, $under, $what ) = @_;
	my ( $o, $u ) = map { $run{$case}{$_} // {} } $over, $under;
	return map { $u->{$_}{$what} > 0 ? $o->{$_}{$what} / $u->{$_}{$what} : () }
			grep { $o->{$_} } keys %$u;
}
sub ratio { median( ratios(@_) ) }

sub shares {
	my ( $case, $tool ) = @_;
	return map { $_->{true} > 0 ? 100 * $_->{right} / $_->{true} : () }
		values %{ $run{$case}{$tool} // {} };
}
sub share_found { median( shares(@_) ) }

sub sec {
	my $v = $_[0] // return '-';
	return sprintf $v < 0.1 ? '%.3f s' : $v < 10 ? '%.2f s' : '%.1f s', $v;
}
sub us    { defined $_[0] ? sprintf $_[0] < 10 ? '%.1f us' : '%.0f us', $_[0] : '-' }
sub fold  { defined $_[0] ? sprintf '%.*fx', ( $_[0] < 10 ? 2 : 1 ), $_[0] : '-' }
sub mb    { defined $_[0] ? sprintf '%.1f MB', $_[0] / 1024 : '-' }
sub count { my $t = $_[0]; 1 while $t =~ s/^(\d+)(\d{3})/$1,$2/; $t }
sub pct   { defined $_[0] ? ( $_[0] == 100 ? '100 %' : sprintf '%.2f %%', $_[0] ) : '-' }

sub spread {
	my ( $show, @v ) = @_;
	return '-' unless @v;
	return $show->( $v[0] ) if @v == 1;
	my ( $low, $high ) = map { $show->($_) } low(@v), high(@v);
	return $show->( median(@v) ) . ( $low eq $high ? '' : " ($low to $high)" );
}

# How runs ended, if not well.
sub ended {
	my %bad = map { $_ => 1 } grep { $_ != 0 } @_;
	return join '', map { $_ == 124 ? ', cut off' : ", exit $_" } sort keys %bad;
}

# What a tool took beside ours, for the last column: "scamper 1.03 s".
sub beside {
	my ( $case, $what, $show, @names ) = @_;
	return join ', ', map {
		my $v = of( $case, $_, $what );
		"$_ " . ( defined $v ? $show->($v) : $missing{$case}{$_} ? 'not installed' : 'not run' )
	} @names;
}

# --- the goals ------------------------------------------------------------------------------------

# A time counts only if the work was done: every round ended well and found the hops.
sub sound {
	my ( $case, $tool ) = @_;
	return !ended( values_of( $case, $tool, 'exit' ) ) && ( share_found( $case, $tool ) // 0 ) >= 99;
}

# One row: what, the figure, how it is shown, the goal, whether lower is better, the goal's text,
# what stands beside it, and which case a note would speak of.
my @goals;

sub goal {
	my ( $what, $values, $shown, $bound, $goal_text, $beside, $case ) = @_;
	my $value = median(@$values);
	my $tool = $what =~ m{: defaults$} ? 'borderpath-defaults' : 'borderpath';
	my $met = !defined $value ? 'not measured' : !$bound->($value) ? 'short'
		: $run{$case} && !sound( $case, $tool ) ? 'void' : 'met';
	push @goals, { what => $what, shown => spread( $shown, @$values ),
		goal => $goal_text, met => $met, beside => $beside, case => $case };
}
sub at_most  { my $b = shift; sub { $_[0] <= $b } }
sub at_least { my $b = shift; sub { $_[0] >= $b } }

sub set_goals {
	my $c = 'icmp4 1024';
	goal( '1024 targets, ICMP -q 1: faster than scamper -p 10000',
		[ ratios( $c, 'scamper', 'borderpath', 'wall' ) ], \&fold, at_least(5), 'at least 5x',
		'ours ' . sec( of( $c, 'borderpath', 'wall' ) ) . ', ' .
			beside( $c, 'wall', \&sec, qw(scamper floor) ), $c );
	goal( '1024 targets: CPU, ours to scamper\'s', [ ratios( $c, 'borderpath', 'scamper', 'cpu' ) ],
		\&fold, at_most(0.9), 'at most 0.9x',
		'ours ' . sec( of( $c, 'borderpath', 'cpu' ) ) . ', ' .
			beside( $c, 'cpu', \&sec, qw(scamper floor) ), $c );
	goal( '1024 targets: hops found', [ shares( $c, 'borderpath' ) ], \&pct, at_least(100),
		'every one', 'scamper ' . pct( share_found( $c, 'scamper' ) ), $c );
	$c = 'slow 1024';
	goal( '1024 targets at 120 ms, one silent hop', [ values_of( $c, 'borderpath', 'wall' ) ], \&sec,
		at_most(0.6), '0.6 s',
		beside( $c, 'wall', \&sec, qw(scamper-tuned scamper-parallel scamper) ), $c );
	$c = 'icmp4 65536';
	goal( '65,536 targets', [ values_of( $c, 'borderpath', 'wall' ) ], \&sec, at_most(15), '15 s',
		beside( $c, 'wall', \&sec, qw(scamper floor) ), $c );
	goal( '65,536 targets: resident, borderpath-probe',
		[ grep { defined } memory( $c, 'borderpath', 'borderpath-probe' ) ], \&mb, at_most( 16 * 1024 ), '16 MB',
		'borderpath ' . mb( memory( $c, 'borderpath', 'borderpath' ) ) . ', scamper ' .
			mb( memory( $c, 'scamper', 'scamper' ) ), $c );
	goal( '65,536 targets: of 655,360 hops', [ shares( $c, 'borderpath' ) ], \&pct,
		at_least(99.5), '99.5 %', 'scamper ' . pct( share_found( $c, 'scamper' ) ), $c );
	$c = 'slow 1';
	goal( 'one target, 120 ms, silent hop: -q 1 --rate max', [ values_of( $c, 'borderpath', 'wall' ) ], \&sec,
		at_most(0.25), '0.25 s',
		beside( $c, 'wall', \&sec, qw(traceroute mtr scamper-defaults) ), $c );
	goal( 'one target, 120 ms, silent hop: defaults', [ values_of( $c, 'borderpath-defaults', 'wall' ) ],
		\&sec, at_most(0.45), '0.45 s', 'the same', $c );
	my $rtts = sub {
		my $e = $error{busy} && $error{busy}{ $_[0] } or return [];
		return $e->{ $_[1] }{ $_[2] } // [];
	};
	my $peers = sub {
		my ($tap) = @_;
		join ', ', map {
			my $tool = $_;
			my @v = map { median( @{ $rtts->( $tool, $tap, $_ ) } ) } qw(p50 p99);
			defined $v[0] ? sprintf( '%s %.1f/%.1f', $tool, map { $_ / 1000 } @v ) : ()
		} qw(scamper mtr traceroute fping);
	};
	my $in_us = sub { us( $_[0] / 1000 ) };
	goal( 'RTT error, processors busy, same interface, p99', $rtts->(qw(borderpath near p99)), $in_us,
		at_most(1000), '1 us', $peers->('near') . ' (p50/p99, us)', 'rtt' );
	goal( 'RTT error, processors busy, far tap, p99', $rtts->(qw(borderpath far p99)), $in_us,
		at_most(15000), '15 us', $peers->('far') . ' (p50/p99, us)', 'rtt' );
	for my $flights ( 256, 4096 ) {
		my $name = "reply: parse match feed, $flights flights";
		goal( "per reply: parse, match, feed; $flights targets in flight",
			$packet{$name} // [], sub { sprintf '%.2f us', $_[0] / 1000 },
			at_most(500), '0.5 us',
			$packet{'libpcap alone'} ? sprintf( 'libpcap alone %.2f us', $packet{'libpcap alone'}[0] / 1000 )
			: '', 'packet' );
	}
}

# --- why a row falls short ------------------------------------------------------------------------

# The profile: [program, where, percent] and [program, symbol, object, percent], both sorted.
sub profile {
	my ( @share, @symbol );
	for ( lines('profile') ) {
		my ( $what, @v ) = @$_;
		push @{ $what eq 'share' ? \@share : \@symbol }, \@v;
	}
	return ( \@share, \@symbol );
}

sub note {
	my ($g) = @_;
	my ( $c, @say ) = $g->{case};
	my $wall = of( $c, 'borderpath', 'wall' );
	my $cpu = of( $c, 'borderpath', 'cpu' );
	my $floor = of( $c, 'floor', 'wall' );
	if ( defined $wall ) {
		push @say, sprintf 'ours keeps %.1f of %d processors busy (%s of CPU in %s)',
			$cpu / $wall, $about{cores}, sec($cpu), sec($wall);
		push @say, sprintf 'the lab\'s forwarding alone, without capture and replies read, takes ' .
			'%s, %.0f %% of it', sec($floor), 100 * $floor / $wall if $floor;
		push @say, sprintf 'round trips of 120 ms in it: %.1f', $wall / 0.12 if $c =~ /^slow/;
		my @sent = values_of( $c, 'borderpath', 'tx' );
		my ($share) = profile();
		my ($lab) = grep { $_->[1] =~ m{lab forwards} } @$share;
		push @say, sprintf 'of all processor time %.0f %% is the lab\'s forwarding and ' .
			'answering, %.0f %% own code and libraries (profile below)', $lab->[2],
			sum( map { $_->[2] } grep { $_->[1] !~ /^kernel/ } @$share ) if $lab && $c !~ m{^slow};
		push @say, sprintf '%s packets sent', count( int median(@sent) ) if @sent;
	}
	return @say ? join( '; ', @say ) . '.' : 'see the microbenchmarks below.';
}

# --- text -----------------------------------------------------------------------------------------

sub table_text {
	my ( $head, @rows ) = @_;
	my @width = map { my $i = $_; high( map { length $_->[$i] } $head, @rows ) } 0 .. $#$head;
	for my $row ( $head, @rows ) {
		my $line = join '  ', map { sprintf "%-*s", $width[$_], $row->[$_] } 0 .. $#$row;
		print $line =~ s/\s+$//r, "\n";
	}
}

sub table_md {
	my ( $head, @rows ) = @_;
	print '| ', join( ' | ', @$_ ), " |\n", $_ == $head ? '|---' x @$head . "|\n" : ''
		for $head, @rows;
	print "\n";
}

sub table { $form eq 'md' ? table_md(@_) : table_text(@_) }

sub head { print $form eq 'md' ? "\n## $_[0]\n\n" : "\n$_[0]\n" }

sub goal_rows { map { [ @$_{qw(what shown goal met beside)} ] } @goals }

sub case_rows {
	my ($case) = @_;
	my ($targets) = $case =~ /(\d+)$/;
	return map {
		my $tool = $_;
		my @probes = values_of( $case, $tool, 'tx' );
		my @memory = values_of( $case, $tool, 'memory' );
		my %programs = map { $_ => 1 } map { /([^=,]+)=/g } @memory;
		!@probes ? [ $case, $tool, 'not installed', ('-') x 6 ] : [
			$case, $tool, spread( \&sec, values_of( $case, $tool, 'wall' ) ),
			spread( \&sec, values_of( $case, $tool, 'cpu' ) ),
			$tool eq 'borderpath' ? '1' : fold( ratio( $case, $tool, 'borderpath', 'wall' ) ),
			join( ', ', map { $_ . ' ' . mb( memory( $case, $tool, $_ ) ) } sort keys %programs ),
			count( int median(@probes) ),
			$tool eq 'floor' ? '-' : pct( share_found( $case, $tool ) ) .
				( high( values_of( $case, $tool, 'wrong' ) ) ? ', ' .
					high( values_of( $case, $tool, 'wrong' ) ) . ' wrong' : '' ) .
				ended( values_of( $case, $tool, 'exit' ) ),
			scalar @probes,
		]
	} @{ $tools{$case} };
}

sub growth_rows {
	my @rows;
	for my $case ( grep { /^icmp4 / } @cases ) {
		my ($n) = $case =~ /(\d+)$/;
		push @rows, [ count($n), map {
			my $tool = $_;
			map { my $v = of( $case, $tool, $_ ); us( defined $v ? 1e6 * $v / $n : undef ) }
				qw(wall cpu)
		} qw(borderpath scamper floor) ];
	}
	return @rows;
}

sub error_rows {
	my @rows;
	for my $load (qw(idle busy)) {
		for my $tool (qw(borderpath scamper mtr traceroute fping)) {
			my $e = ( $error{$load} // {} )->{$tool};
			if ( !$e ) {
				push @rows, [ $load, $tool, ('-') x 4,
					( $error_missing{$load} // {} )->{$tool} ? 'not installed' : 'not run' ];
				next;
			}
			my @row = ( $load, $tool );
			for my $tap (qw(near far)) {
				push @row, map { spread( sub { sprintf '%.1f', $_[0] / 1000 }, @{ $e->{$tap}{$_} } ) }
					qw(p50 p99);
			}
			my $n = 0;
			$n += $_ for @{ $e->{near}{n} };
			push @rows, [ @row, count($n) ];
		}
	}
	return @rows;
}

sub packet_rows {
	return map { my $name = $_; [ $name, map { sprintf '%.0f', $_ } @{ $packet{$name} } ] } @packet;
}

sub tables {
	head('Goals');
	table( [qw(what measured reach result beside)], goal_rows() );
	if ( grep { $_->{met} eq 'short' } @goals ) {
		head('What limits the rows that fall short');
		my $mark = $form eq 'md' ? '- ' : '  ';
		print $mark, "$_->{what}: ", note($_), "\n" for grep { $_->{met} eq 'short' } @goals;
	}
	head('Every case');
	table( [ 'case', 'tool', 'wall', 'CPU', 'wall to ours', 'peak resident', 'packets out',
		'hops found', 'rounds' ], map { case_rows($_) } @cases );
	head('Cost per target as targets grow (wall, CPU)');
	table( [ 'targets', 'borderpath', 'CPU', 'scamper', 'CPU', 'floor', 'CPU' ], growth_rows() );
	if (%error) {
		head('RTT error in us');
		table( [ 'load', 'tool', 'same interface p50', 'p99', 'far tap p50', 'p99', 'probes' ],
			error_rows() );
	}
	if (@packet) {
		head('Per packet and per look-up, ns');
		table( [qw(what median fastest slowest)], packet_rows() );
	}
	my ( $share, $symbol ) = profile();
	return unless @$share;
	head('Where processor time goes: 16,384 targets, ICMP -q 1');
	table( [qw(program where share)], map { [ @$_[ 0, 1 ], "$_->[2] %" ] }
		grep { $_->[2] >= 0.5 } @$share );
	print "\n";
	table( [ 'program', 'function', 'object', 'share' ],
		map { [ @$_[ 0 .. 2 ], "$_->[3] %" ] } @$symbol );
}

# --- the document ---------------------------------------------------------------------------------

sub document {
	my $busy = ( $about{load} // 0 ) < 0.5 ? ''
		: "\n\n**The machine was not idle: these figures are pessimistic and not for comparison.**";
	print <<"END";
<!-- Written by \`make bench\` (tests/bench/report.pl). Do not edit: run it again. -->
# Benchmarks

$about{cores} processors ($about{processor}), $about{kernel}, $about{date}; load before it began
$about{load}; $about{seconds} s in all.$busy

| program | version |
|---|---|
END
	print "| $_ | $about{$_} |\n"
		for grep { defined $about{$_} } qw(borderpath scamper mtr traceroute fping);
	print "\nGeo data: $about{geo}.\n";
	print "\n**BENCH_QUICK: one round of the small cases. Not for comparison.**\n" if $about{quick};
	my $linger = median( map { values_of( $_, 'borderpath', 'linger' ) } @cases );
	$linger = defined $linger ? sprintf( '%.0f ms', 1000 * $linger ) : 'some ms';
	print <<'END' =~ s{LINGER}{$linger}r;

## How

A chain of nine routers and a destination in network namespaces (tests/bench/bench.sh), forwarding by
the Linux kernel, no ICMP rate limit, no packet leaves the machine. Each case runs its tools one after
another in every round, the order turning from round to round; figures are medians over rounds, with
the lowest and the highest in brackets, never the best. Ratios are paired: taken in each round, then
the median.

- *Wall* ends when the command returns. borderpath's time holds the pipe between its two
  programs, naming by the databases, judging, and writing JSON Lines; scamper writes JSON.
- *CPU* is user and system time of all processes of a tool, orphans too (tests/bench/bench_run.c),
  and of the kernel's ksoftirqd threads meanwhile. The kernel forwards and answers on the sender's
  processor time, so every tool's CPU holds the lab's own cost: the *floor* says how much. A packet
  socket's end waits for the kernel: borderpath-probe outlives borderpath by LINGER, which is in
  nobody's way and not in wall.
- *Floor*: the same probes sent blindly (tests/bench/bench_blast.c), nothing read.
- *Peak resident*: VmHWM of each program when it ends, highest of all rounds.
- *Packets out*: what the uplink counted, whatever the tool says.
- *Hops found*: pairs of destination and TTL whose router is the one the wiring put there. fping
  measures destinations only.
- *RTT error*: |tool's RTT - truth|, matched probe by probe; medians over rounds of each round's
  p50 and p99. *Same interface*: truth is a capture on the interface the tool sends by; borderpath takes
  its RTT from stamps of the same kind, so 0 there says that every probe was paired with its own
  answer, and the far tap is the judge of the rest. *Far tap*:
  truth is a capture on the other side of the first link, which sees the request later and the reply
  earlier by one veth hand-over each: the figure holds the error and both hand-overs, an upper bound.
  *Busy*: two endless loops for each processor.
- `slow` cases: 120 ms held in user space at the first router (jitter 0.1 to 0.6 ms), the fifth
  router silent.

yarrp and caracal are not in Debian and are left out.
END
	tables();
	head('Commands');
	print "`make bench` runs these; LIST holds the addresses of the prefix, one a line.\n\n";
	my %shown;
	for ( lines('commands') ) {
		my ( $case, $tool, $command ) = @$_;
		$command =~ s/ --vantage bench --profile \S+//;
		$command =~ s/ --asn-db \S+ --country-db \S+//;
		push @{ $shown{$case} }, "    $command\n";
	}
	for my $case ( @cases, 'rtt' ) {
		print "$case:\n\n", @{ $shown{$case} }, "\n" if $shown{$case};
	}
	print "borderpath also has `--vantage bench --profile tests/bench/bench.yaml` and the two\n",
		"databases of build/geodata where they were made.\n";
}

set_goals();
if ( $form eq 'md' ) { document() } else { tables() }
