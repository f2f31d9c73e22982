#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
#
# door.pl SOCKET GROUP COMMAND...: a socket unit with Accept=yes in small: listens at SOCKET (mode
# 0660, of GROUP, a number) and starts COMMAND for each who connects, whose input and output are that
# connection. Its end is a signal.
use strict;
use warnings;
use IO::Socket::UNIX;

my ($path, $group, @command) = @ARGV;
umask 0117;
my $door = IO::Socket::UNIX->new(Local => $path, Listen => 16) or die "$path: $!\n";
chown 0, $group, $path;
$SIG{CHLD} = 'IGNORE';
while (1) {
	my $one = $door->accept or next;
	if (!fork) {
		$SIG{CHLD} = 'DEFAULT';
		open(STDIN, '<&', $one) && open(STDOUT, '>&', $one) or die "$!\n";
		exec @command or die "$command[0]: $!\n";
	}
	close $one;
}
