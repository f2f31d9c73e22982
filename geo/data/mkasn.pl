#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# mkasn.pl EPOCH DESCRIPTION OUT CSV... - ranges with an AS number and a name, as one MMDB.
#
# Owns the layout of asn.mmdb: one tree for both families, IPv4 at ::/96 as libmaxminddb
# expects it, MaxMind's two key names, and a build epoch that is the date of the data and not
# of this run. Refuses a row it cannot read; downloads nothing.

use strict;
use warnings;

use MaxMind::DB::Writer::Tree;
use Text::CSV_XS;

my ( $epoch, $description, $out, @csv ) = @ARGV;
die "usage: mkasn.pl EPOCH DESCRIPTION OUT CSV...\n"
	unless @csv && $epoch =~ /\A[0-9]+\z/;

my %type = (
	autonomous_system_number       => 'uint32',
	autonomous_system_organization => 'utf8_string',
);

my $tree = MaxMind::DB::Writer::Tree->new(
	ip_version  => 6,
	record_size => 28,    # 24 bits end at 16 million nodes and data bytes together
	database_type => 'borderpath-ASN',
	languages     => ['en'],
	description   => { en => $description },
	# The rows already are one per address; 2001::/32 is one of them, and an alias would hide it.
	merge_strategy           => 'none',
	alias_ipv6_to_ipv4       => 0,
	remove_reserved_networks => 0,
	map_key_type_callback    => sub { $type{ $_[0] } },
	# Not in the writer's documented interface, but it has no other way to say when data is from.
	_build_epoch => $epoch,
);

my $rows = 0;
for my $file (@csv) {
	my $csv = Text::CSV_XS->new( { binary => 1, auto_diag => 0 } );
	open my $in, '<:encoding(UTF-8)', $file or die "mkasn.pl: $file: $!\n";
	while ( my $row = $csv->getline($in) ) {
		my ( $first, $last, $asn, $name ) = @$row;
		die "mkasn.pl: $file:$.: not start,end,ASN,organisation\n"
			unless @$row == 4 && $asn =~ /\A[0-9]{1,10}\z/ && $asn < 2**32;
		$tree->insert_range(
			$first, $last,
			{
				autonomous_system_number       => $asn,
				autonomous_system_organization => $name,
			}
		);
		$rows++;
	}
	$csv->eof or die "mkasn.pl: $file:$.: " . $csv->error_diag . "\n";
	close $in or die "mkasn.pl: $file: $!\n";
}
die "mkasn.pl: no rows in @csv\n" unless $rows;

open my $fh, '>:raw', $out or die "mkasn.pl: $out: $!\n";
$tree->write_tree($fh);
close $fh or die "mkasn.pl: $out: $!\n";
print "$rows rows\n";
