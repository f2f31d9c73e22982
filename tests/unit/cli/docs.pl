#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The manual page and the completion name the commands, subcommands and options that the program's help names:
# all of them, and no other. Needs build/borderpath.

use strict;
use warnings;

chdir "$1/../../.." if $0 =~ m{(.*)/};
my $program = $ENV{BORDERPATH} // 'build/borderpath';
my ( $passed, $failed ) = ( 0, 0 );

sub slurp { open my $in, '<', $_[0] or die "$_[0]: $!\n"; local $/; return scalar <$in> }

# same(WHAT, ONE, OTHER): two lists of words hold the same.
sub same {
	my ( $what, $help, $other ) = @_;
	my %help  = map { $_ => 1 } @$help;
	my %other = map { $_ => 1 } @$other;
	my @bad = ( ( map { "in the help, not there: $_" } grep { !$other{$_} } sort keys %help ),
		( map { "not in the help: $_" } grep { !$help{$_} } sort keys %other ) );
	push @bad, 'the help names nothing' unless @$help;
	print map { "$what: $_\n" } @bad;
	@bad ? $failed++ : $passed++;
}

# The options named in a text: a dash that begins a word.
sub options { return $_[0] =~ /(?<![\w<\-\/])(--[a-z][a-z-]*[a-z]|-[A-Za-z0-9](?![\w-]))/g }

my $man        = slurp('doc/borderpath.1');
my $completion = slurp('packaging/completions/borderpath');

my @commands = `$program help` =~ /^  ([a-z]+) {2,}\S/mg;
same( 'commands of doc/borderpath.1', \@commands,
	[ grep { $_ ne 'help' } $man =~ /^\.It Nm Cm ([a-z]+)/mg ] );
same( 'commands of the completion', [ @commands, 'help' ],
	[ split ' ', ( $completion =~ /local commands='([^']*)'/ )[0] ] );

# Subcommands, as "geo show": the words of the lines of use, of which one may name several.
# Or "deploy PLAN | withdraw NAME | list": one for each bar.
sub subcommand_words {
	my ( $command, $text ) = @_;
	return map { my $line = $_; map { /^([a-z|]+)(?= |$)/ ? $1 : () } split / \| (?=[a-z])/, $line }
		$text =~ /^(?:usage:| {6}) borderpath $command ([a-z|]+(?: .*)?)$/mg;
}
my @subcommands = map {
	my $command = $_;
	map { map { "$command $_" } split /\|/ }
		subcommand_words( $command, scalar `$program help $command` )
} @commands;
same( 'subcommands of doc/borderpath.1', \@subcommands,
	[ map { my ( $command, $words ) = @$_; map { "$command $_" } split / \| /, $words }
			map { [ /^\.It Nm Cm ([a-z]+) ([a-z]+(?: \| [a-z]+)*)(?= |$)/ ] }
			grep { /^\.It Nm Cm [a-z]+ [a-z]/ } split /\n/, $man ] );
my ($table) = $completion =~ /local -A subcommands=\(([^)]*)\)/;
my @listed;
while ( $table =~ /\[([a-z]+)\]='([^']*)'/g ) {
	my $command = $1;
	push @listed, map { "$command $_" } split ' ', $2;
}
same( 'subcommands of the completion', \@subcommands, \@listed );

my $help = join '', map { `$program help $_` } @commands;
my @told = ( options($help), qw(--help -h --verbose -v --output -o) );

my @described;
for ( $man =~ /^\.(?:It|Op|Nm|Fl)\b.*\bFl .*|^\.Fl .*/mg ) {
	push @described, map { "-$_" } /(?:\bFl|,(?! Fl)) (-?[A-Za-z0-9][a-z-]*)/g;
	push @described, map { "-$_" } /[A-Za-z0-9]/g if s/^\.It Fl ([A-Za-z0-9](?: \| [A-Za-z0-9])+).*/$1/;
}
same( 'options of doc/borderpath.1', \@told, [ grep { $_ ne '--version' } @described ] );

my @completed = map { options($_) } $completion =~ /\b(?:own|common|select)=['"]([^'"]*)['"]/g;
same( 'options of the completion', [ grep { !/^-[hvod]$/ } @told ], \@completed );

print "$passed passed, $failed failed\n";
exit( $failed > 0 );
