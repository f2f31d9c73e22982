#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/golden/mmdb/make.pl DIR - the small databases the unit tests look things up in.
#
# One file for each layout of keys met in the wild, with invented contents over documentation
# prefixes (RFC 5737, RFC 3849) and private AS numbers. Build dates are fixed, so that the same
# script gives the same bytes. Needs Debian's libmaxmind-db-writer-perl.

use strict;
use warnings;

use MaxMind::DB::Writer::Tree;

# The order of keys in a Perl hash is random unless told, and would be in the file.
if ( !defined $ENV{PERL_HASH_SEED} ) {
	local $ENV{PERL_HASH_SEED} = 0;
	local $ENV{PERL_PERTURB_KEYS} = 0;
	exec $^X, $0, @ARGV or die "$0: $!\n";
}

my $dir = shift // die "usage: make.pl DIR\n";

my %type = (
	autonomous_system_number       => 'uint32',
	autonomous_system_organization => 'utf8_string',
	AutonomousSystemNumber         => 'utf8_string',
	AutonomousSystemOrganization   => 'utf8_string',
	asn                            => 'utf8_string',
	as_name                        => 'utf8_string',
	country_code                   => 'utf8_string',
	iso_code                       => 'utf8_string',
	country                        => 'map',
	registered_country             => 'map',
	geoname_id                     => 'uint32',
);

# 2026-06-01 and 2020-01-01, midnight UTC
my ( $new, $old ) = ( 1780272000, 1577836800 );

sub make {
	my ( $name, $version, $built, $types, @rows ) = @_;
	my $tree = MaxMind::DB::Writer::Tree->new(
		ip_version  => $version,
		record_size => 24,
		database_type => "borderpath-test-$name",
		languages     => ['en'],
		description   => { en => "borderpath test, $name" },
		alias_ipv6_to_ipv4       => 0,
		remove_reserved_networks => 0,
		map_key_type_callback    => sub { $types->{ $_[0] } // $type{ $_[0] } },
		_build_epoch => $built,
	);
	while ( my ( $network, $data ) = splice @rows, 0, 2 ) {
		$tree->insert_network( $network, $data );
	}
	open my $out, '>:raw', "$dir/$name.mmdb" or die "$dir/$name.mmdb: $!\n";
	$tree->write_tree($out);
	close $out or die "$dir/$name.mmdb: $!\n";
}

sub as_of {
	my ( $n, $name ) = @_;
	return {
		autonomous_system_number => $n,
		defined $name ? ( autonomous_system_organization => $name ) : ()
	};
}

make(
	'asn-maxmind', 6, $new, {},
	'192.0.2.0/24'    => as_of( 64500, 'Example One' ),
	'192.0.2.128/25'  => as_of( 64501, 'Example Two' ),
	'198.51.100.0/24' => as_of(64502),                       # a number without a name
	'203.0.113.0/24'  => as_of( 0, 'Not routed' ),           # no AS at all
	'2001:db8::/32'   => as_of( 4200000000, "Z\x{fc}rich Net" ),
);
make(
	'asn-ipinfo', 6, $new, { country => 'utf8_string' },
	'192.0.2.0/24'  => { asn => 'AS64500', as_name => 'Example One', country => 'CH' },
	'2001:db8::/32' => { asn => 'AS64501', as_name => 'Example Two', country => 'SE' },
	'203.0.113.0/24' => { asn => '', as_name => '', country => 'SE' },
);
make(
	'asn-geoopen', 6, $new, {},
	'192.0.2.0/24' => {
		country => {
			iso_code                     => 'CH',
			AutonomousSystemNumber       => '64500',
			AutonomousSystemOrganization => 'EXAMPLE-ONE'
		}
	},
);
make(
	'country-maxmind', 6, $new, {},
	'192.0.2.0/24' => {
		country            => { iso_code => 'CH', geoname_id => 1 },
		registered_country => { iso_code => 'DE', geoname_id => 2 }
	},
	'198.51.100.0/24' => { registered_country => { iso_code => 'SE', geoname_id => 3 } },
	'203.0.113.0/24'  => { country            => { geoname_id => 4 } },
	'2001:db8::/32'   => { country            => { iso_code   => 'JP', geoname_id => 5 } },
);
make(
	'country-flat-ipv4-old', 4, $old, {},
	'192.0.2.0/24'    => { country_code => 'CH' },
	'198.51.100.0/24' => { country_code => 'ZZ' },
	'203.0.113.0/24'  => { country_code => 'Germany' },
);
make(
	'asn-flat-ipv4', 4, $new, {},
	'192.0.2.0/24' => as_of( 64500, 'Example One' ),
);
