#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
#
# receiver.pl PORT FILE: takes webhooks on 127.0.0.1, one at a time, and writes each body as a line of
# FILE before it answers 204. Its end is a signal.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $file) = @ARGV;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 16,
	ReuseAddr => 1) or die "port $port: $!\n";
while (my $client = $server->accept) {
	my ($length, $id) = (0, '');
	while (defined(my $line = <$client>)) {
		$length = $1 if $line =~ /^content-length:\s*(\d+)/i;
		$id = $1 if $line =~ /^webhook-id:\s*(\S+)/i;
		last if $line =~ /^\r?\n$/;
	}
	my $body = '';
	$client->read($body, $length) if $length > 0;
	next if length($body) != $length || $id eq '';
	open(my $out, '>>', $file) or die "$file: $!\n";
	$body =~ s/\n//g;
	print $out "$body\n";
	close($out);
	print $client "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
	close($client);
}
