#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What we write as RIPE Atlas JSON, read as Atlas's own readers read it: by the rules of RIPE's parser
# (ripe.atlas.sagan: which members must be there, and what each is made into) and by the types of
# stricter ones (pantrace: integers that fit, texts that are texts). Every hop and every round-trip
# time must come out as the native record has it. Where sagan itself is installed it reads them too.
# Needs build/borderpath.

use strict;
use warnings;
use JSON::PP;
use B ();

chdir "$1/../../../.." if $0 =~ m{(.*)/};
my $program = $ENV{BORDERPATH} // 'build/borderpath';
my ( $passed, $failed ) = ( 0, 0 );
my $json = JSON::PP->new->utf8;
my $where;

sub verdict {
	my ( $good, $what ) = @_;
	$good ? $passed++ : $failed++;
	print "not ok: $where: $what\n" unless $good;
	return $good;
}

sub is_number { return B::svref_2object( \$_[0] )->FLAGS & ( B::SVp_IOK | B::SVp_NOK ) }
sub whole { return defined $_[0] && !ref $_[0] && is_number( $_[0] ) && $_[0] == int $_[0] }
sub within { return whole( $_[0] ) && $_[0] >= $_[1] && $_[0] <= $_[2] }
sub text { return defined $_[0] && !ref $_[0] && !is_number( $_[0] ) }

# One element of a hop as sagan's Packet, beside the probe of the native record.
sub check_packet {
	my ( $is, $native ) = @_;
	my $late = grep { $_ eq 'late' } @{ $native->{flags} // [] };
	verdict( ref $is eq 'HASH', 'an answer is an object' ) or return;
	verdict( exists $is->{late} == !!$late, 'late, and only then' );
	unless ( defined $native->{from} ) {
		verdict( ( $is->{x} // '' ) eq '*' || text( $is->{error} ), 'nobody answered' );
		return verdict( !defined $is->{from} && !defined $is->{rtt}, 'nobody, no time' );
	}
	verdict( text( $is->{from} ) && $is->{from} eq $native->{from}, 'from' );
	verdict( !defined $native->{rtt_ms} || abs( $is->{rtt} - $native->{rtt_ms} ) < 1e-9, 'rtt' );
	verdict( !defined $is->{ttl}  || within( $is->{ttl},  0, 255 ),   'ttl' );
	verdict( !defined $is->{size} || within( $is->{size}, 0, 65535 ), 'size' );
	verdict( !defined $is->{mtu}  || whole( $is->{mtu} ), 'mtu' );
	verdict( !defined $is->{ittl} || within( $is->{ittl}, 0, 255 ), 'ittl' );
	verdict( !exists $is->{err} || text( $is->{err} ) || whole( $is->{err} ), 'err' );
	verdict( !exists $is->{flags} || $is->{flags} =~ /^[A-Z]*$/, 'flags' );
	return unless exists $is->{icmpext};
	my $ext = $is->{icmpext};
	verdict( whole( $ext->{version} ) && within( $ext->{rfc4884}, 0, 1 ) && ref $ext->{obj} eq 'ARRAY',
		'icmpext' );
	verdict( $json->canonical->encode( $ext->{obj}[0]{mpls} ) eq $json->canonical->encode( $native->{mpls} ),
		'mpls' );
}

sub check_result {
	my ( $is, $native ) = @_;
	for my $key (qw(timestamp msm_id prb_id fw)) {
		verdict( whole( $is->{$key} ) && $is->{$key} >= 0, "$key: sagan reads no result without" );
	}
	verdict( ( $is->{type} // '' ) eq 'traceroute', 'type' );
	verdict( $is->{fw} >= 4460, 'fw: of those whose members these are' );
	verdict( !exists $is->{proto} || $is->{proto} =~ /^(?:ICMP|UDP|TCP)$/, 'proto' );
	verdict( ( $is->{af} // 0 ) == 4 || $is->{af} == 6, 'af' );
	for my $key (qw(dst_name src_addr from msm_name)) {
		verdict( text( $is->{$key} ), "$key is text" );
	}
	verdict( !exists $is->{$_} || whole( $is->{$_} ), "$_ is an integer" ) for qw(endtime size paris_id lts);
	verdict( ref $is->{result} eq 'ARRAY', 'result: others are "legacy"' ) or return;
	my @hops = @{ $native->{hops} // [] };
	verdict( @hops == @{ $is->{result} }, 'as many hops' );
	for my $hop ( @{ $is->{result} } ) {
		my $other = shift @hops or last;
		verdict( within( $hop->{hop}, 1, 255 ) && $hop->{hop} == $other->{ttl}, 'hop' );
		my @probes = @{ $other->{probes} };
		verdict( @probes == @{ $hop->{result} }, "as many answers at hop $hop->{hop}" );
		check_packet( $_, shift @probes // {} ) for @{ $hop->{result} };
	}
}

sub lines {
	open my $from, '-|', @_ or die "$_[0]: $!\n";
	my @lines = <$from>;
	close $from;
	return @lines;
}

my $sagan = system("python3 -c 'import ripe.atlas.sagan' 2>/dev/null") == 0;
my $read = <<'PYTHON';
import sys
from ripe.atlas.sagan import Result, TracerouteResult
for line in sys.stdin:
    r = Result.get(line, on_error=Result.ACTION_IGNORE, on_malformation=Result.ACTION_FAIL)
    assert isinstance(r, TracerouteResult)
PYTHON

for my $file ( sort glob 'tests/golden/records/*.jsonl' ) {
	my @native = grep { $_->{type} eq 'trace' } map { $json->decode($_) } lines( $program, 'convert', '--to', 'jsonl', $file );
	my @atlas = lines( $program, 'convert', '--to', 'atlas', $file );
	$where = $file;
	verdict( @native == @atlas, 'a result a trace' );
	for my $i ( 0 .. $#atlas ) {
		$where = "$file, trace " . ( $i + 1 );
		check_result( $json->decode( $atlas[$i] ), $native[$i] );
	}
	next unless $sagan && @atlas;
	open my $python, '|-', 'python3', '-c', $read or die "python3: $!\n";
	print $python @atlas;
	verdict( close $python, 'sagan itself' );
}
$where = 'all';
verdict( $passed > 100, 'something was looked at' );
print "sagan is not installed: its rules only\n" unless $sagan;
print "$passed passed, $failed failed\n";
exit( $failed > 0 );
