#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/bench/parse.pl - what the tools of `make bench` say, in one form.
#
#	parse.pl hops TOOL FILE           lines "dst ttl from", one a probe that was answered
#	parse.pl rtts TOOL FILE           lines "dst ttl k rtt_ns": the k-th answer of a TTL
#	parse.pl count TOOL TRUTH FILE    "right wrong": pairs (dst, ttl) whose router TRUTH has
#	                                  (lines "ttl address", "=" for the destination), and whose not
#	parse.pl taps FILE.pcap           lines "dst ttl k rtt_ns" of a capture of ICMP echo over IPv4
#	parse.pl errors TRUTH RTTS        lines "error_ns" for each (dst, ttl, k) that both have; the
#	                                  last line is "unmatched N"
#	parse.pl profile FILE              perf script of borderpath -> "share PROGRAM WHERE PERCENT" and
#	                                  "symbol PROGRAM NAME OBJECT PERCENT", tabs between
#
# TOOL: borderpath (JSON Lines), scamper (JSON), mtr (--raw DST), traceroute, fping (-C -q).
# Tools are read as they print; a line that no tool prints is passed over.

use strict;
use warnings;

# hop(dst, ttl, from, rtt_ns or undef) is called for every answer.
my %reader = (
	borderpath => \&read_borderpath,
	scamper    => \&read_scamper,
	mtr        => \&read_mtr,
	traceroute => \&read_traceroute,
	fping      => \&read_fping,
);

sub read_borderpath {
	my ( $in, $hop ) = @_;
	while (<$in>) {
		next unless /^\{"type":"trace"/;
		my ($dst) = /"dst":"([^"]*)"/ or next;
		my ($ttl) = 0;
		# Of an entry only these begin so: evidence has a "from" without an RTT behind it.
		while (/"ttl":(\d+),"probes"|"from":"([^"]+)","rtt_ms":([0-9.]+|null)/g) {
			if ( defined $1 ) { $ttl = $1; next }
			$hop->( $dst, $ttl, $2, $3 eq 'null' ? undef : ns( $3, 6 ) );
		}
	}
}

sub read_scamper {
	my ( $in, $hop ) = @_;
	while (<$in>) {
		next unless /^\{"type":"trace"/;
		my ($dst) = /"dst":"([^"]*)"/ or next;
		while (/"addr":"([^"]+)", "probe_ttl":(\d+),.*?"rtt":([0-9.]+)/g) {
			$hop->( $dst, $2, $1, ns( $3, 6 ) );
		}
	}
}

# mtr's raw lines do not name the target: it is the file's first line, "# dst".
sub read_mtr {
	my ( $in, $hop ) = @_;
	my ( $dst, %from, $last );
	while (<$in>) {
		if (/^# (\S+)/) { $dst = $1; next }
		if (/^h (\d+) (\S+)/) { $from{$1} = $2; next }
		next unless /^p (\d+) (\d+)/ && defined $from{$1};
		# It learns where the path ends only by going beyond it.
		next if defined $last && $1 > $last;
		$last = $1 if $from{$1} eq $dst;
		$hop->( $dst, $1 + 1, $from{$1}, $2 * 1000 );
	}
}

sub read_traceroute {
	my ( $in, $hop ) = @_;
	my $dst;
	while (<$in>) {
		if (/^traceroute to \S+ \(([^)]+)\)/) { $dst = $1; next }
		next unless s/^\s*(\d+)\s+//;
		my ( $ttl, $from ) = $1;
		while (/(\d+\.\d+) ms|([0-9a-f]*[.:][0-9a-f.:]+)/g) {
			if ( defined $2 ) { $from = $2; next }
			$hop->( $dst, $ttl, $from, ns( $1, 6 ) ) if defined $from;
		}
	}
}

# Round trips to the destination only: the TTL is not known, and said to be 0.
sub read_fping {
	my ( $in, $hop ) = @_;
	while (<$in>) {
		next unless /^(\S+)\s+:((?: (?:[0-9.]+|-))+)\s*$/;
		my ( $dst, @rtts ) = ( $1, split ' ', $2 );
		$hop->( $dst, 0, $dst, ns( $_, 6 ) ) for grep { $_ ne '-' } @rtts;
	}
}

# Decimal text of units -> units / 10^digits, without a detour by binary fractions.
sub ns {
	my ( $text, $digits ) = @_;
	my ( $whole, $part ) = split /\./, $text;
	return $whole * 10**$digits + substr( ( $part // '' ) . '0' x $digits, 0, $digits );
}

sub answers {
	my ( $tool, $file, $hop ) = @_;
	my $read = $reader{$tool} or die "parse.pl: no tool $tool\n";
	open my $in, '<', $file or die "parse.pl: $file: $!\n";
	$read->( $in, $hop );
}

sub hops {
	my ( $tool, $file ) = @_;
	answers( $tool, $file, sub { print "$_[0] $_[1] $_[2]\n" } );
}

sub rtts {
	my ( $tool, $file ) = @_;
	my %k;
	answers( $tool, $file, sub {
		my ( $dst, $ttl, undef, $rtt ) = @_;
		my $k = ++$k{"$dst $ttl"};
		print "$dst $ttl $k $rtt\n" if defined $rtt;
	} );
}

sub count {
	my ( $tool, $truth_file, $file ) = @_;
	my ( %truth, %seen, $right, $wrong );
	open my $in, '<', $truth_file or die "parse.pl: $truth_file: $!\n";
	while (<$in>) { $truth{$1} = $2 if /^(\d+) (\S+)/ }
	( $right, $wrong ) = ( 0, 0 );
	my ($last) = sort { $b <=> $a } keys %truth;
	answers( $tool, $file, sub {
		my ( $dst, $ttl, $from ) = @_;
		my $want = $ttl ? $truth{$ttl} // '' : '=';
		$want = $dst if $want eq '=';
		# Tools with several probes on their way hear the destination at TTLs beyond its own.
		if    ( $from eq $dst && $ttl > $last ) { }
		elsif ( $from ne $want ) { $wrong++ }
		elsif ( !$seen{"$dst $ttl"}++ ) { $right++ }
	} );
	print "$right $wrong\n";
}

# --- captures: pcap with nanoseconds, Ethernet ---------------------------------------------------

sub each_packet {
	my ( $file, $take ) = @_;
	my ( $bytes, $order );
	open my $in, '<:raw', $file or die "parse.pl: $file: $!\n";
	read( $in, $bytes, 24 ) == 24 or return;
	if    ( unpack( 'V', $bytes ) == 0xa1b23c4d ) { $order = 'V4' }
	elsif ( unpack( 'N', $bytes ) == 0xa1b23c4d ) { $order = 'N4' }
	else                                          { die "$file: not a capture in nanoseconds\n" }
	die "$file: not Ethernet\n" unless unpack( substr( $order, 0, 1 ), substr $bytes, 20 ) == 1;
	while ( read( $in, $bytes, 16 ) == 16 ) {
		my ( $s, $ns, $size ) = unpack $order, $bytes;
		read( $in, $bytes, $size ) == $size or last;
		$take->( $s, $ns, substr( $bytes, 14 ) ) if unpack( 'n', substr $bytes, 12, 2 ) == 0x800;
	}
}

sub dotted { join '.', unpack 'C4', $_[0] }

# An IPv4 packet with ICMP -> (type, src, dst, ttl, id, seq, what is quoted), or nothing.
sub icmp_of {
	my ($p) = @_;
	return unless length $p >= 28 && ord( substr $p, 9, 1 ) == 1;
	my $head = 4 * ( ord($p) & 15 );
	return unless length $p >= $head + 8;
	my ( $type, undef, undef, $id, $seq ) = unpack 'CCnnn', substr $p, $head;
	return ( $type, dotted( substr $p, 12, 4 ), dotted( substr $p, 16, 4 ),
		ord( substr $p, 8, 1 ), $id, $seq, substr $p, $head + 8 );
}

# Requests in the order they were seen and the interval to the first answer to each. Identifier and
# sequence are 32 bits at most: a pair that was asked twice is nobody's and is left out. fping's
# and a full TTL are the same thing here: the destination's answer is listed under TTL 0 too.
sub taps {
	my ($file) = @_;
	my ( @asked, %by_key, $base );
	each_packet( $file, sub {
		my ( $s, $ns, $p ) = @_;
		my ( $type, $src, $dst, $ttl, $id, $seq, $rest ) = icmp_of($p) or return;
		$base //= $s;
		my $t = ( $s - $base ) * 1_000_000_000 + $ns;
		if ( $type == 8 ) {
			my $r = { dst => $dst, ttl => $ttl, t => $t };
			my $key = "$dst $id $seq";
			$r->{twice} = $by_key{$key}{twice} = 1 if $by_key{$key};
			push @asked, $by_key{$key} = $r;
			return;
		}
		if ( $type == 11 ) {
			( undef, undef, $dst, undef, $id, $seq ) = icmp_of($rest) or return;
		}
		elsif ( $type == 0 ) { $dst = $src }
		else                 { return }
		my $r = $by_key{"$dst $id $seq"} or return;
		$r->{rtt} //= $t - $r->{t};
		$r->{final} = $type == 0;
	} );
	my %k;
	for my $r (@asked) {
		next unless defined $r->{rtt};
		my $ttl = $r->{ttl};
		my @lists = ($ttl);
		push @lists, 0 if $r->{final} && $ttl >= 60;    # a ping's, not a traceroute's
		for my $list (@lists) {
			my $k = ++$k{"$r->{dst} $list"};
			print "$r->{dst} $list $k $r->{rtt}\n" unless $r->{twice};
		}
	}
}

sub errors {
	my ( $truth, $rtts ) = @_;
	my ( %truth, $unmatched );
	$unmatched = 0;
	open my $in, '<', $truth or die "parse.pl: $truth: $!\n";
	while (<$in>) { $truth{$1} = $2 if /^(\S+ \d+ \d+) (\d+)/ }
	open $in, '<', $rtts or die "parse.pl: $rtts: $!\n";
	while (<$in>) {
		/^(\S+ \d+ \d+) (\d+)/ or next;
		if   ( defined $truth{$1} ) { print abs( $2 - $truth{$1} ), "\n" }
		else                        { $unmatched++ }
	}
	print "unmatched $unmatched\n";
}

# --- profiles -------------------------------------------------------------------------------------

# What the kernel was doing for a sample, by the first row that a frame of its stack fits. Capture
# and forwarding run inside a send: the inner work comes first.
my @work = (
	[ qr/^(?:tpacket_rcv|packet_rcv|run_filter|dev_queue_xmit_nit)$/, 'kernel: capture' ],
	[ qr/^(?:handle_softirqs|__do_softirq|net_rx_action|process_backlog)$/,
		'kernel: the lab forwards and answers' ],
	[ qr/^(?:__sys_sendmmsg|__sys_sendto|__sys_sendmsg)$/,         'kernel: sending' ],
	[ qr/^(?:ksys_write|ksys_read|vfs_writev|vfs_readv)$/,        'kernel: pipe and files' ],
	[ qr/page_fault$/,                                            'kernel: page faults' ],
	[ qr/sys_exit|do_exit|sys_exec|bprm_execve|sys_mmap|sys_munmap/, 'kernel: start and end' ],
	[ qr/^(?:__x64_sys_p?poll|do_sys_poll|schedule)$/,            'kernel: waiting' ],
);

sub profile {
	my ($file) = @_;
	my ( %share, %symbol, $all );
	open my $in, '<', $file or die "parse.pl: $file: $!\n";
	local $/ = '';    # a sample a paragraph
	while (<$in>) {
		my ( $comm, @frames ) = split /\n/;
		$comm =~ s/\s+$//;
		$comm = 'borderpath-probe' if $comm eq 'borderpath-prob';    # the kernel keeps 15 bytes
		my @stack;
		for (@frames) {
			my ( $name, $object ) = /^\s*[0-9a-f]+ (.*) \((.*)\)$/ or next;
			push @stack, [ $name, $object =~ s{.*/}{}r ];
		}
		next unless @stack;
		$all++;
		my ($where) = 'own code';
		if ( $stack[0][1] =~ /^\[/ ) {
			$where = 'kernel: other';
			for my $row (@work) {
				next unless grep { $_->[0] =~ $row->[0] } @stack;
				$where = $row->[1];
				last;
			}
		}
		else {
			$where = $stack[0][1] unless $stack[0][1] =~ /^borderpath/;
			$symbol{"$comm\t$stack[0][0]\t$stack[0][1]"}++;
		}
		$share{"$comm\t$where"}++;
	}
	my $print = sub {
		my ( $what, $n, $most ) = @_;
		my @order = sort { $n->{$b} <=> $n->{$a} || $a cmp $b } keys %$n;
		splice @order, $most if @order > $most;
		printf "%s\t%s\t%.1f\n", $what, $_, 100 * $n->{$_} / $all for @order;
	};
	$print->( 'share', \%share, 20 );
	$print->( 'symbol', \%symbol, 15 );
}

my %verb = ( hops => \&hops, rtts => \&rtts, count => \&count, taps => \&taps, errors => \&errors,
	profile => \&profile );

my $verb = shift // '';
die "usage: parse.pl hops|rtts TOOL FILE | count TOOL TRUTH FILE | taps FILE |"
	. " errors TRUTH RTTS | profile FILE\n"
	unless $verb{$verb} && @ARGV;
$verb{$verb}->(@ARGV);
