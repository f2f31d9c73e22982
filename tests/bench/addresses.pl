#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/bench/addresses.pl PREFIX - every address of a prefix, one a line, for tools that want
# lists. IPv4, or IPv6 whose host part is in the last 16 bits.

use strict;
use warnings;

my ( $net, $bits ) = ( $ARGV[0] // '' ) =~ m{^([0-9a-f.:]+)(?:/(\d+))?$}
	or die "usage: addresses.pl PREFIX\n";
my $width = $net =~ /:/ ? 128 : 32;
my $count = 1 << $width - ( $bits // $width );
die "addresses.pl: too many\n" if $count > 65536;
if ( $width == 32 ) {
	my $first = unpack 'N', pack 'C4', split /\./, $net;
	print join( '.', unpack 'C4', pack 'N', $first + $_ ), "\n" for 0 .. $count - 1;
}
else {
	# As inet_ntop writes them: no zero group at the end of a compressed run.
	print $net, $_ ? sprintf( '%x', $_ ) : '', "\n" for 0 .. $count - 1;
}
