// SPDX-License-Identifier: BSD-2-Clause
/*
 * Traceroute output as people post it. Each row is a text and what must be read out of it, nothing
 * more: what the text does not say stays unknown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "core/record/traceroute_text.h"
#include "tests/unit/core/record/read_text.h"
#include "tests/unit/seeds.h"

#define LINUX "traceroute to example.net (192.0.2.9), 30 hops max, 60 byte packets\n"
#define LINUX_IS "unknown > 192.0.2.9 (example.net) "

static const struct { const char *text, *is, *reason; } rows[] = {
	{LINUX " 1  _gateway (10.0.0.1)  0.385 ms  0.342 ms  0.317 ms\n 2  * * *\n"
	 " 3  example.net (192.0.2.9)  15.729 ms  14.023 ms  15.029 ms\n",
	 LINUX_IS "reached reached max 30 size 60 q 3\n"
	 "| 1 10.0.0.1/0.385 10.0.0.1/0.342 10.0.0.1/0.317 | 2 * * * "
	 "| 3 192.0.2.9/15.729 192.0.2.9/14.023 192.0.2.9/15.029 \n", "Linux, as it is"},
	{LINUX " 1  10.0.0.1  0.385 ms  0.342 ms  0.317 ms\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 3\n"
	 "| 1 10.0.0.1/0.385 10.0.0.1/0.342 10.0.0.1/0.317 \n", "-n; a text cut short says no end"},
	{LINUX " 9  a (10.9.9.97)  5.870 ms  7.628 ms b (10.9.9.9)  7.561 ms\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 3\n"
	 "| 9 10.9.9.97/5.870 10.9.9.97/7.628 10.9.9.9/7.561 \n", "two routers in one line"},
	{LINUX "11  * 10.4.4.1 (10.4.4.1)  18.489 ms *\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 3\n| 11 * 10.4.4.1/18.489 * \n",
	 "an address belongs to what follows it, not to the star before"},
	{LINUX "1\t10.0.0.1\t(10.0.0.1)\t1.5 ms\t*\t2.5 ms\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 3\n| 1 10.0.0.1/1.500 * 10.0.0.1/2.500 \n", "tabs"},
	{LINUX "1 10.0.0.1 (10.0.0.1) 1.5ms 2.5ms*\r\n2 *** \r\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 3\n| 1 10.0.0.1/1.500 10.0.0.1/2.500 * | 2 * * * \n",
	 "units and stars that stick, CRLF"},
	{LINUX "1 10.0.0.1 1.5 2.5 3\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 3\n"
	 "| 1 10.0.0.1/1.500 10.0.0.1/2.500 10.0.0.1/3.000 \n", "units left out"},
	{LINUX "1 gw.example 10.0.0.1 1.5 ms 2.5 ms\n2 10.0.0.2 10.0.0.2 3 ms\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 2\n"
	 "| 1 10.0.0.1/1.500 10.0.0.1/2.500 | 2 10.0.0.2/3.000 \n", "parentheses left out"},
	{LINUX "1 10.0.0.1 (10.0.0.1 1.5 ms\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 1\n| 1 10.0.0.1/1.500 \n", "parenthesis cut"},
	{LINUX "4 a (10.0.0.4) 7.5 ms\n    b (10.0.0.5) 7.4 ms\n    c (10.0.0.6) 7.1 ms\n5 * * *\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 3\n"
	 "| 4 10.0.0.4/7.500 10.0.0.5/7.400 10.0.0.6/7.100 | 5 * * * \n", "BSD's indented lines"},
	{LINUX "7 a (10.0.0.4) 39.486 ms *\n10.0.0.5 (10.0.0.5) 45.959 ms\n8 * * *\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 3\n"
	 "| 7 10.0.0.4/39.486 * 10.0.0.5/45.959 | 8 * * * \n", "the same, indentation lost"},
	{LINUX "5 10.0.0.1 1 ms\n5 10.0.0.2 2 ms\n6 * *\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 2\n| 5 10.0.0.1/1.000 10.0.0.2/2.000 | 6 * * \n",
	 "the number repeated for each router of a hop"},
	{LINUX "7 a (10.0.0.4) 1 ms 2 ms\n   3 ms\n8 a.very.long.name.example\n(10.0.0.5) 4 ms 5 ms\n* \n",
	 LINUX_IS "unknown unknown max 30 size 60 q 3\n"
	 "| 7 10.0.0.4/1.000 10.0.0.4/2.000 10.0.0.4/3.000 | 8 10.0.0.5/4.000 10.0.0.5/5.000 * \n",
	 "lines wrapped by mail"},
	{LINUX "1 10.0.0.1 1 ms 2 ms 3 ms\n\n2 10.0.0.2 1 ms 2 ms 3 ms\n\n* * *\n\n3 * * *\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 3\n| 1 10.0.0.1/1.000 10.0.0.1/2.000 "
	 "10.0.0.1/3.000 | 2 10.0.0.2/1.000 10.0.0.2/2.000 10.0.0.2/3.000 | 3 * * * \n",
	 "blank lines between; a ruler is no hop"},
	{LINUX "16 * * 10.0.0.1 (10.0.0.1) 284.168 ms !X\n17 * * *\n18 10.0.0.1 (10.0.0.1) 1 ms !X * *\n",
	 LINUX_IS "unknown filtered max 30 size 60 q 3\n"
	 "| 16 * * 10.0.0.1/284.168!3.13 | 17 * * * | 18 10.0.0.1/1.000!3.13 * * \n", "!X"},
	{LINUX "1 10.0.0.1 1 ms !H 2 ms !N 3 ms !P\n2 10.0.0.1 1 ms !S 2 ms !A 3 ms !Z\n",
	 LINUX_IS "unreachable filtered max 30 size 60 q 3\n| 1 10.0.0.1/1.000!3.1 10.0.0.1/2.000!3.0 "
	 "10.0.0.1/3.000!3.2 | 2 10.0.0.1/1.000!3.5 10.0.0.1/2.000!3.9 10.0.0.1/3.000!3.10 \n",
	 "marks of RFC 792 and RFC 1812 codes; traceroute stops where all are refused"},
	{LINUX "1 10.0.0.1 1 ms !F-1476 2 ms !<13> 3 ms !13\n2 10.0.0.1 1 ms !<12-0> 2 ms ! 3 ms!H\n",
	 LINUX_IS "unknown filtered max 30 size 60 q 3\n| 1 10.0.0.1/1.000!3.4m1476 10.0.0.1/2.000!3.13 "
	 "10.0.0.1/3.000!3.13 | 2 10.0.0.1/1.000!12.0 10.0.0.1/2.000 10.0.0.1/3.000!3.1 \n",
	 "MTU, numbers; ! alone (the answer's own TTL) is no refusal"},
	{LINUX "1 10.0.0.1 !H *\n", LINUX_IS "unknown unreachable max 30 size 60 q 2\n"
	 "| 1 10.0.0.1/!3.1 * \n", "a mark without a time"},
	{LINUX "1 [AS64500] a.example (10.0.0.1) 1 ms\n2 b.example (10.0.0.2) [AS64500/AS64501] 2 ms "
	 "10.0.0.3 (10.0.0.3) [*] 3 ms\n3 c (10.0.0.4) [AS 64502] 4 ms '-5' 5 ms\n",
	 LINUX_IS "unknown unknown max 30 size 60\n| 1 10.0.0.1/1.000 | 2 10.0.0.2/2.000 "
	 "10.0.0.3/3.000 | 3 10.0.0.4/4.000 10.0.0.4/5.000 \n", "-A of Linux, -a of the BSDs, Cisco, -b"},
	{LINUX "1 a (10.0.0.1) <MPLS:L=29657,E=0,S=1,T=1> 1 ms 2 ms b (10.0.0.2) 3 ms\n"
	 "2 c (10.0.0.3) <MPLS:L=16,E=1,S=0,T=1/L=17,E=2,S=1,T=2> 1 ms\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 3\n| 1 10.0.0.1/1.000L29657.0.1.1 "
	 "10.0.0.1/2.000L29657.0.1.1 10.0.0.2/3.000 | 2 10.0.0.3/1.000L16.1.0.1L17.2.1.2 \n",
	 "-e: labels hold for their own address"},
	{LINUX "1 a (10.0.0.1) 1 ms 2 ms b (10.0.0.2) 3 ms\n     MPLS Label=299792 CoS=5 TTL=1 S=0\n"
	 "     MPLS Label=7 CoS=0 TTL=1 S=1\n2 c (10.0.0.3) [MPLS: Label 19 Exp 3] 4 msec\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 3\n| 1 10.0.0.1/1.000 10.0.0.1/2.000 "
	 "10.0.0.2/3.000L299792.5.0.1L7.0.1.1 | 2 10.0.0.3/4.000L19.3.0.0 \n", "Juniper's, Cisco's labels"},
	{" 1  10.0.0.1 (10.0.0.1)  1 ms\n 2  10.0.0.2 (10.0.0.2)  2 ms\n",
	 "unknown > - unknown unknown q 1\n| 1 10.0.0.1/1.000 | 2 10.0.0.2/2.000 \n",
	 "no header: the last hop is not taken for the destination"},
	{"me@host:~$ traceroute -T 192.0.2.9\n 1  10.0.0.1  1 ms\n 2  192.0.2.9  2 ms\nme@host:~$ ls\n",
	 "tcp:80 > 192.0.2.9 (192.0.2.9) reached reached q 1\n| 1 10.0.0.1/1.000 | 2 192.0.2.9/2.000 \n",
	 "no header, but the command: its literal address is the destination"},
	{"root# sudo traceroute -n -T -p443 -q 1 -m 20 example.net 60\n" LINUX "1 10.0.0.1 1 ms\n",
	 "tcp:443 > 192.0.2.9 (example.net) unknown unknown max 30 size 60 q 1\n| 1 10.0.0.1/1.000 \n",
	 "command and header speak of the same target: method and port are known"},
	{"$ traceroute -I other.example\n" LINUX "1 10.0.0.1 1 ms\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 1\n| 1 10.0.0.1/1.000 \n",
	 "a command for another target tells nothing"},
	{"% traceroute -w 2 -P ICMP 192.0.2.9\n1 10.0.0.1 1 ms\n% traceroute 192.0.2.9\n1 10.0.0.2 1 ms\n"
	 "> traceroute -M udp -f 3 192.0.2.9 | tee x\n1 10.0.0.3 1 ms\n",
	 "icmp > 192.0.2.9 (192.0.2.9) unknown unknown q 1\n| 1 10.0.0.1/1.000 \n"
	 "udp > 192.0.2.9 (192.0.2.9) unknown unknown q 1\n| 1 10.0.0.2/1.000 \n"
	 "udp > 192.0.2.9 (192.0.2.9) unknown unknown q 1\n| 1 10.0.0.3/1.000 \n",
	 "BSD's -P; the default is UDP; -M; commands part the traces"},
	{"I ran traceroute -T 192.0.2.9 to see where it goes\n1 10.0.0.1 1 ms\n",
	 "unknown > - unknown unknown q 1\n| 1 10.0.0.1/1.000 \n", "prose is no command"},
	{"traceroute to 192.0.2.9, 64 hops max\n 1 10.0.0.1 1 ms\n",
	 "unknown > 192.0.2.9 (192.0.2.9) unknown unknown max 64 q 1\n| 1 10.0.0.1/1.000 \n",
	 "a header without parentheses"},
	{"traceroute to example.net, 30 hops max\n 1 10.0.0.1 1 ms\n",
	 "unknown > - (example.net) unknown unknown max 30 q 1\n| 1 10.0.0.1/1.000 \n",
	 "a name only: the destination stays unknown"},
	{"traceroute: Warning: example.net has multiple addresses; using 192.0.2.9\n" LINUX
	 "1 10.0.0.1 1 ms\n", LINUX_IS "unknown unknown max 30 size 60 q 1\n| 1 10.0.0.1/1.000 \n",
	 "a warning before the header"},
	{"traceroute6 to example.net (2001:db8::9) from 2001:db8::1, 64 hops max, 12 byte packets\n"
	 " 1  fe80::1%en0  3.1 ms  2.9 ms  2.8 ms\n 2  2001:db8::9  10.5 ms !N  11 ms !X 12 ms !H\n",
	 "unknown > 2001:db8::9 (example.net) unreachable filtered max 64 q 3 from 2001:db8::1\n"
	 "| 1 fe80::1/3.100 fe80::1/2.900 fe80::1/2.800 "
	 "| 2 2001:db8::9/10.500!1.0 2001:db8::9/11.000!1.1 2001:db8::9/12.000!1.3 \n",
	 "IPv6 marks are ICMPv6's codes; the size without headers is not the packet's"},
	{"Tracing route to example.net [192.0.2.9]\r\nover a maximum of 30 hops:\r\n\r\n"
	 "  1    <1 ms    <1 ms    <1 ms  192.168.0.1 \r\n  2     *        *        *     Request timed out.\r\n"
	 "  3    12 ms     *       11 ms  core.example [203.0.113.1] \r\n"
	 "  4    15 ms    14 ms    16 ms  192.0.2.9 \r\n\r\nTrace complete.\r\n",
	 "icmp > 192.0.2.9 (example.net) reached reached max 30 q 3\n"
	 "| 1 192.168.0.1/ 192.168.0.1/ 192.168.0.1/ | 2 * * * "
	 "| 3 203.0.113.1/12.000 * 203.0.113.1/11.000 "
	 "| 4 192.0.2.9/15.000 192.0.2.9/14.000 192.0.2.9/16.000 \n",
	 "tracert prints times first; <1 ms is an answer whose time is not known"},
	{"C:\\>tracert -d 192.0.2.9\n\nTracing route to 192.0.2.9 over a maximum of 30 hops\n\n"
	 "  1     2 ms     1 ms     1 ms  10.0.0.1\n  2  10.0.0.1  reports: Destination host unreachable.\n"
	 "\nTrace complete.\n",
	 "icmp > 192.0.2.9 (192.0.2.9) unreachable unreachable max 30 q 3\n"
	 "| 1 10.0.0.1/2.000 10.0.0.1/1.000 10.0.0.1/1.000 | 2 10.0.0.1/!3.1 \n",
	 "tracert's words for an unreachable"},
	{"\xd0\xa2\xd1\x80\xd0\xb0\xd1\x81\xd1\x81\xd0\xb8\xd1\x80\xd0\xbe\xd0\xb2\xd0\xba\xd0\xb0 "
	 "\xd0\xbc\xd0\xb0\xd1\x80\xd1\x88\xd1\x80\xd1\x83\xd1\x82\xd0\xb0 \xd0\xba ya.example [192.0.2.9]\n"
	 "\xd1\x81 \xd1\x87\xd0\xb8\xd1\x81\xd0\xbb\xd0\xbe\xd0\xbc 30:\n"
	 "  1     1 ms    <1 \xd0\xbc\xd1\x81    <1 mc  10.0.0.1\n  2     *        *        *     X Y.\n",
	 "icmp > 192.0.2.9 (ya.example) unknown unknown max 30 q 3\n"
	 "| 1 10.0.0.1/1.000 10.0.0.1/ 10.0.0.1/ | 2 * * * \n", "tracert in another language"},
	{"Selected device eth0, address 10.0.0.5, port 33333 for outgoing packets\n"
	 "Tracing the path to example.net (192.0.2.9) on TCP port 443 (https), 30 hops max\n"
	 " 1  10.0.0.1  1 ms 2 ms 3 ms\n 2  192.0.2.9 [open]  4 ms 5 ms 6 ms\n",
	 "tcp:443 > 192.0.2.9 (example.net) reached reached max 30 q 3\n"
	 "| 1 10.0.0.1/1.000 10.0.0.1/2.000 10.0.0.1/3.000 "
	 "| 2 192.0.2.9/4.000 192.0.2.9/5.000 192.0.2.9/6.000 \n", "tcptraceroute"},
	{"Type escape sequence to abort.\nTracing the route to example.net (192.0.2.9)\n\n"
	 "  1 10.0.0.1 4 msec 0 msec 4 msec\n  2 a.example (10.0.0.2) [AS 64500] 8 msec *  8 msec\n",
	 "unknown > 192.0.2.9 (example.net) unknown unknown q 3\n"
	 "| 1 10.0.0.1/4.000 10.0.0.1/0.000 10.0.0.1/4.000 | 2 10.0.0.2/8.000 * 10.0.0.2/8.000 \n", "Cisco"},
	{"\xc2\xa0 1 \xc2\xa0" "10.0.0.1\xc2\xa0" "1\xc2\xa0ms\xc2\xa0*\n\xc2\xa0 2\xc2\xa0* *\n",
	 "unknown > - unknown unknown q 2\n| 1 10.0.0.1/1.000 * | 2 * * \n",
	 "copied from a web page: no-break spaces"},
	{" traceroute to  ya.example(192.0.2.9), max hops: 30 ,packet length: 40,press CTRL_C to break\n"
	 " 1 10.0.0.1 4 ms  3 ms  2 ms\n",
	 "unknown > 192.0.2.9 (ya.example) unknown unknown max 30 q 3\n"
	 "| 1 10.0.0.1/4.000 10.0.0.1/3.000 10.0.0.1/2.000 \n", "Huawei's header"},
	{"\xe2\x9e\x9c  ~ traceroute -I example.net\n" LINUX " 1  10.0.0.1  1 ms  2 ms  3 ms\n 2  * *^C\n"
	 "\xe2\x9e\x9c  ~ ping 10.0.0.1\n", "icmp > 192.0.2.9 (example.net) unknown unknown max 30 size 60 q 3\n"
	 "| 1 10.0.0.1/1.000 10.0.0.1/2.000 10.0.0.1/3.000 | 2 * * \n",
	 "a prompt with an arrow; stopped by hand"},
	{"> > " LINUX "> >  1  10.0.0.1  1 ms\n> | 2  10.0.0.2  2 ms\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 1\n| 1 10.0.0.1/1.000 | 2 10.0.0.2/2.000 \n",
	 "quoted in a mail"},
	{LINUX "1 10.0.0.1 1 ms\n" LINUX "1 10.0.0.2 2 ms\n2 10.0.0.3 3 ms\n1 10.0.0.4 4 ms\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 1\n| 1 10.0.0.1/1.000 \n"
	 LINUX_IS "unknown unknown max 30 size 60 q 1\n| 1 10.0.0.2/2.000 | 2 10.0.0.3/3.000 \n"
	 "unknown > - unknown unknown q 1\n| 1 10.0.0.4/4.000 \n",
	 "several traces; a smaller TTL begins the next, whose destination nobody told"},
	{LINUX "1 10.0.0.1 1 ms\n5 10.0.0.5 2 ms\n64 bytes from 10.0.0.1: icmp_seq=1 ttl=55 time=12.3 ms\n"
	 "3 packets transmitted, 3 received, 0% packet loss, time 2003ms\n6 days ago it took 10 ms\n"
	 "7 10.0.0.7 3 ms\n", LINUX_IS "unknown unknown max 30 size 60 q 1\n"
	 "| 1 10.0.0.1/1.000 | 5 10.0.0.5/2.000 | 7 10.0.0.7/3.000 \n",
	 "other programs' lines and prose that begin with a number"},
	{"Tue Feb  5 20:55:00 EST 2019\n" LINUX "1 10.0.0.1 1 ms\n2026-11-22T10:00:00+09:00\n"
	 LINUX "1 10.0.0.1 2 ms\n", LINUX_IS "unknown unknown max 30 size 60 q 1 at 2019-02-06 01:55:00 UTC\n"
	 "| 1 10.0.0.1/1.000 \n" LINUX_IS "unknown unknown max 30 size 60 q 1 at 2026-11-22 01:00:00 UTC\n"
	 "| 1 10.0.0.1/2.000 \n", "a line that is a date tells when"},
	{"Date: Tue, 05 Feb 2019 08:55:00 PM +0130\n$ traceroute 192.0.2.9\n1 10.0.0.1 1 ms\n"
	 "Sat Oct  7 10:00:00 CST 2017\n$ traceroute 192.0.2.9\n1 10.0.0.1 1 ms\n",
	 "udp > 192.0.2.9 (192.0.2.9) unknown unknown q 1 at 2019-02-05 19:25:00 UTC\n| 1 10.0.0.1/1.000 \n"
	 "udp > 192.0.2.9 (192.0.2.9) unknown unknown q 1\n| 1 10.0.0.1/1.000 \n",
	 "mail's date; CST is China's or America's: no time rather than a wrong one"},
	{"Start: 2024-01-15T10:30:00+0900\nHOST: a Loss% Snt\n  1.|-- 10.0.0.1 0.0% 100 0.5\n"
	 "1: lo: <LOOPBACK,UP> mtu 65536\n    inet 127.0.0.1/8 scope host lo\n" LINUX "1 10.0.0.1 1 ms\n"
	 "2024-01-15T10:30:00Z\n\n== example.net ==\n\n" LINUX "1 10.0.0.1 1 ms\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 1\n| 1 10.0.0.1/1.000 \n"
	 LINUX_IS "unknown unknown max 30 size 60 q 1 at 2024-01-15 10:30:00 UTC\n| 1 10.0.0.1/1.000 \n",
	 "a date of mtr's, too far up; a heading between"},
	{LINUX "1 10.0.0.1 1 ms\n| 1 | 10.0.0.9 | 2 ms |\n2 10.0.0.0/8 via 10.0.0.1\n2 10.0.0.2 2 ms\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 1\n| 1 10.0.0.1/1.000 | 2 10.0.0.2/2.000 \n",
	 "a table and a routing table are no hops"},
	{LINUX LINUX "1 10.0.0.1 1 ms\ntraceroute to 192.0.2.8 (192.0.2.8), 30 hops max\n",
	 LINUX_IS "unknown unknown max 30 size 60 q 1\n| 1 10.0.0.1/1.000 \n"
	 "skipped in:4: a traceroute without hops, to 192.0.2.8\n", "a header without hops is told"},
	{LINUX "1 10.0.0.1 1 ms\n2 core.example 5.1 ms 5.2 ms\n3 10.0.0.3 3 ms\n",
	 "skipped in:3: hop 2: a time without an address: left out\n"
	 LINUX_IS "unknown unknown max 30 size 60\n| 1 10.0.0.1/1.000 | 3 10.0.0.3/3.000 \n",
	 "a name without an address cannot be an answer"},
	{LINUX "1 10.0.0.1\n2 10.0.0.2 10.0.0.3 2 ms\n", LINUX_IS "unknown unknown max 30 size 60\n"
	 "| 1 10.0.0.1/ | 2 10.0.0.2/ 10.0.0.3/2.000 \n", "an address without a time has answered"},
	{LINUX "30 * * *\n", LINUX_IS "max_ttl silent max 30 size 60 q 3\n| 30 * * * \n",
	 "the last TTL without an answer of the destination"},
	{LINUX "1 10.0.0.1 12,5 ms 700001 ms\n", LINUX_IS "unknown unknown max 30 size 60 q 1\n"
	 "| 1 10.0.0.1/12.500 \n", "a decimal comma; eleven minutes are no round-trip time"},
	{"\xef\xbb\xbf" LINUX "1 10.0.0.1 1 ms\n", LINUX_IS "unknown unknown max 30 size 60 q 1\n"
	 "| 1 10.0.0.1/1.000 \n", "a byte order mark"},
	{LINUX "1 192.0.2.9 1 ms !X\n", LINUX_IS "unreachable filtered max 30 size 60 q 1\n"
	 "| 1 192.0.2.9/1.000!3.13 \n", "the destination itself refuses: reached is something else"},
};

static void posted_texts(void **state)
{
	unsigned bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		struct buf out;
		int rc;

		seed_write("text", "posted", i, rows[i].text, strlen(rows[i].text));
		buf_init(&out);
		buf_str(&out, "");
		rc = read_text(rows[i].text, strlen(rows[i].text), NULL, &out, &err);
		if (rc != BP_EOF || strcmp(out.bytes, rows[i].is) != 0) {
			print_error("%s (%d %s)\n--- is\n%s--- must be\n%s\n", rows[i].reason, rc,
				    err.text, out.bytes, rows[i].is);
			bad++;
		}
		buf_fini(&out);
	}
	assert_int_equal(bad, 0);
}

/* Cut anywhere, each text still reads without complaint of the memory checkers. */
static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t n = 0; n < strlen(rows[i].text); n++) {
			struct bp_error err = {0};
			struct buf out;
			int rc;

			buf_init(&out);
			buf_str(&out, "");
			rc = read_text(rows[i].text, n, &traceroute_text_format, &out, &err);
			if ((rc != BP_EOF && rc != BP_EPARSE) || strstr(out.bytes, "INVALID"))
				fail_msg("%s, cut at %zu: %d %s", rows[i].reason, n, rc, out.bytes);
			buf_fini(&out);
		}
	}
}

static void names_as_printed(void **state)
{
	static const char text[] = LINUX "1 _gateway (10.0.0.1) 1 ms 10.0.0.2 (10.0.0.2) 1 ms "
		"a.example [10.0.0.3] 1 ms b.example 10.0.0.4 1 ms c.example (10.0.0.1) 1 ms\n"
		"2 very.long.example\n (10.0.0.5) 1 ms\n";
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	static const char *const hosts[] = {"_gateway", "a.example", "b.example",
					    "very.long.example"};
	struct bp_error err = {0};
	struct record_reader r;
	struct record rec;

	(void)state;
	record_reader_init(&r, f, "in", NULL);
	record_init(&rec);
	assert_int_equal(record_read(&r, &rec, &err), 0);
	assert_int_equal(rec.names.count, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_string_equal(rec.names.items[i].host, hosts[i]);
	assert_string_equal(rec.trace->tool, "traceroute");
	assert_int_equal(rec.trace->stamps, STAMPS_IMPORT);
	record_fini(&rec);
	record_reader_fini(&r);
	fclose(f);
}

/* The dates, alone. */
static const struct { const char *text, *is; } dates[] = {
	{"2026-11-22T10:00:00Z", "2026-11-22 10:00:00 UTC"},
	{"2026-11-22 10:00:00", "2026-11-22 10:00:00 UTC"},
	{"2026-11-22 10:00:00 UTC", "2026-11-22 10:00:00 UTC"},
	{"2026-11-22 10:00:00.5 +0900", "2026-11-22 01:00:00 UTC"},
	{"Start: 2026-11-22T10:00:00+0000", "2026-11-22 10:00:00 UTC"},
	{"Sun Nov 22 10:00:00 UTC 2026", "2026-11-22 10:00:00 UTC"},
	{"Sun Nov 22 10:00:00 2026", "2026-11-22 10:00:00 UTC"},
	{"Sun 22 Nov 2026 12:00:00 AM MSK", "2026-11-21 21:00:00 UTC"},
	{"Sun, 22 Nov 2026 10:00:00 -0500", "2026-11-22 15:00:00 UTC"},
	{"2026-11-22", NULL},
	{"22.11.2026 10:00", NULL},
	{"Sun Nov 31 10:00:00 UTC 2026", NULL},
	{"Sun Nov 22 24:00:00 UTC 2026", NULL},
	{"Sun Nov 22 10:00:00 IST 2026", NULL},
	{"on Nov 22 2026 at 10:00:00 it went", NULL},
	{"1 10.0.0.1 1 ms", NULL},
	{"", NULL},
};

static void dates_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		struct wall t = {0};
		char text[WALL_TEXT];
		bool is = traceroute_date(dates[i].text, strlen(dates[i].text), &t);

		if (is != (dates[i].is != NULL) ||
		    (is && strcmp(wall_format_short(t, text), dates[i].is) != 0))
			fail_msg("%s: %s", dates[i].text, is ? wall_format_short(t, text) : "no date");
	}
}

/*
 * Four traces of the real world, each hop of them. Made from the files by eye and by a second,
 * independent reading; the files themselves are not ours to carry.
 */
static const struct { const char *file, *hops; } real[] = {
	{"nk-traces/2019-02-05_newyork_175.45.176.80.traceroute.txt",
	 "| 1 192.168.0.1/10.712 192.168.0.1/5.223 192.168.0.1/3.130 | 2 * * * "
	 "| 3 68.173.202.74/19.082 68.173.202.74/23.958 68.173.202.74/19.198 "
	 "| 4 68.173.198.42/11.413 68.173.198.42/37.942 68.173.198.42/44.836 "
	 "| 5 66.109.6.76/18.098 107.14.19.22/25.559 107.14.19.22/21.052 "
	 "| 6 66.109.6.163/27.620 107.14.19.147/29.842 66.109.6.157/24.038 "
	 "| 7 66.110.96.13/26.842 66.110.96.13/16.637 66.110.96.53/18.283 "
	 "| 8 63.243.128.121/83.721 63.243.128.121/84.435 63.243.128.121/81.125 "
	 "| 9 63.243.128.29/89.536 63.243.128.31/82.377 63.243.128.29/80.993 "
	 "| 10 63.243.205.90/84.526 63.243.205.46/85.008 63.243.205.46/92.695 "
	 "| 11 219.158.117.1/264.207 219.158.117.1/245.906 219.158.117.1/248.608 "
	 "| 12 219.158.115.122/279.363 219.158.115.122/321.038 219.158.115.122/280.110 "
	 "| 13 219.158.102.214/276.315 219.158.102.214/281.610 219.158.102.214/277.184 "
	 "| 14 * * * | 15 * * * | 16 * * 219.158.39.42/284.168!3.13 | 17 * * * "
	 "| 18 * * * | 19 219.158.39.42/288.479!3.13 * * | 20 * * * | 21 * * * "
	 "| 22 * * 219.158.39.42/407.138!3.13 | 23 * * * | 24 * * * | 25 * * * "
	 "| 26 * * * | 27 * * * | 28 * * * | 29 * * * | 30 * * * | 31 * * * "
	 "| 32 * 219.158.39.42/284.029!3.13 * | 33 * * * | 34 * * * | 35 * * * "
	 "| 36 * * * | 37 219.158.39.42/416.278!3.13 * * | 38 * * * | 39 * * * "
	 "| 40 * * * | 41 * * * | 42 * * * | 43 * * * | 44 * * * | 45 * * * | 46 * * * "
	 "| 47 * * * | 48 * * * | 49 * * * | 50 * * * | 51 * * * | 52 * * * | 53 * * * "
	 "| 54 * 219.158.39.42/310.160!3.13 * | 55 * * * | 56 * * * | 57 * * * "
	 "| 58 * * * | 59 * * 219.158.39.42/277.531!3.13 | 60 * * * | 61 * * * "
	 "| 62 * * * | 63 * * * | 64 * * * "},
	{"carrier-traces/ttk_moscow_ya.ru.traceroute.txt",
	 "| 1 192.168.0.1/0.385 192.168.0.1/0.342 192.168.0.1/0.317 "
	 "| 2 10.0.0.2/0.522 10.0.0.2/0.496 10.0.0.2/0.473 | 3 * * * | 4 * * * "
	 "| 5 * * * | 6 87.244.33.241/7.149 87.244.33.241/2.289 87.244.33.241/2.257 "
	 "| 7 87.244.0.20/2.280 87.244.0.20/2.321 87.244.0.20/2.297 "
	 "| 8 217.150.57.98/5.957 217.150.57.98/5.993 217.150.57.98/5.376 "
	 "| 9 10.99.99.97/5.870 10.99.99.97/7.628 10.99.99.9/7.561 "
	 "| 10 188.43.3.213/9.924 188.43.3.213/10.074 188.43.3.213/10.129 "
	 "| 11 * 10.4.4.1/18.489 * "
	 "| 12 87.250.250.242/15.729 87.250.250.242/14.023 87.250.250.242/15.029 "},
	{"carrier-traces/ttk_2008_yandex.ru.traceroute.txt",
	 "| 1 10.0.0.1/16.080 10.0.0.1/16.483 10.0.0.1/4.391 "
	 "| 2 172.20.0.129/15.862 172.20.0.129/2.324 172.20.0.129/12.400 "
	 "| 3 217.150.61.202/16.805 217.150.61.202/11.679 217.150.61.202/11.859 "
	 "| 4 213.248.97.173/12.559 213.248.97.173/17.461 213.248.97.173/13.628 "
	 "| 5 80.91.249.20/31.259 80.91.249.20/21.151 80.91.249.20/20.920 "
	 "| 6 213.248.104.142/22.732 213.248.104.142/18.033 213.248.104.142/19.814 "
	 "| 7 77.88.16.60/30.978 77.88.16.60/18.485 77.88.16.60/22.552 "
	 "| 8 87.250.228.138/310.284 87.250.228.138/395.411 87.250.228.138/458.204 "
	 "| 9 87.250.251.11/113.778 87.250.251.11/121.525 87.250.251.11/120.626 "},
	{"carrier-traces/unicom_beijing_8.8.8.8.traceroute.txt",
	 "| 1 10.39.101.1/8.662 10.39.101.1/1.307 10.39.101.1/1.155 "
	 "| 2 192.168.1.1/2.287 192.168.1.1/2.157 192.168.1.1/1.897 "
	 "| 3 222.129.32.1/5.844 222.129.32.1/13.092 222.129.32.1/10.332 "
	 "| 4 114.244.95.105/7.541 61.51.101.101/7.420 61.148.163.81/7.075 "
	 "| 5 61.148.4.213/7.759 219.232.11.65/5.976 202.106.230.81/6.021 "
	 "| 6 202.96.12.13/7.828 * * | 7 219.158.112.26/39.486 * 219.158.7.22/45.959 "
	 "| 8 219.158.103.218/48.469 219.158.97.2/47.146 219.158.103.218/50.320 "
	 "| 9 219.158.103.30/50.739 219.158.103.30/50.382 219.158.103.30/48.348 "
	 "| 10 219.158.10.30/49.927 219.158.10.30/44.264 219.158.10.30/56.353 "
	 "| 11 219.158.33.174/54.123 219.158.33.174/61.131 219.158.33.174/47.302 "
	 "| 12 108.170.241.97/56.082 108.170.241.33/52.942 108.170.241.33/54.393 "
	 "| 13 142.250.58.189/48.958 209.85.143.37/51.217 108.170.226.115/141.544 "
	 "| 14 8.8.8.8/48.935 8.8.8.8/46.364 8.8.8.8/51.043 "},
};

static void real_traces_hop_by_hop(void **state)
{
	bool any = false;

	(void)state;
	for (size_t i = 0; i < sizeof(real) / sizeof(real[0]); i++) {
		char path[256];
		struct bp_error err = {0};
		struct record_reader r;
		struct record rec;
		struct buf out;
		FILE *f;

		snprintf(path, sizeof(path), "../shared/data/%s", real[i].file);
		f = fopen(path, "r");
		if (f == NULL)
			continue;
		any = true;
		buf_init(&out);
		record_reader_init(&r, f, path, NULL);
		record_init(&rec);
		assert_int_equal(record_read(&r, &rec, &err), 0);
		assert_string_equal(r.format->name, "traceroute");
		put_hops_text(&out, rec.trace);
		assert_string_equal(out.bytes, real[i].hops);
		record_fini(&rec);
		assert_int_equal(record_read(&r, &rec, &err), BP_EOF);
		assert_int_equal(r.skipped, 0);
		record_reader_fini(&r);
		buf_fini(&out);
		fclose(f);
	}
	if (!any) {
		print_message("skipped: ../shared/data is not there\n");
		skip();
	}
}

/* As many names as a trace can have, the last address first. */
static void many_names_backwards_take_no_minute(void **state)
{
	enum { N = 255 * 255, SECONDS = 15 };
	struct bp_error err = {0};
	struct record_reader r;
	struct record rec;
	struct buf text;
	clock_t began;
	FILE *f;

	(void)state;
	buf_init(&text);
	buf_str(&text, "traceroute to 10.9.0.0 (10.9.0.0), 255 hops max, 60 byte packets\n");
	for (unsigned i = N; i-- > 0;) {
		unsigned at = N - 1 - i;

		if (at % 255 == 0)
			buf_printf(&text, "%u ", at / 255 + 1);
		buf_printf(&text, " h%u.example (10.9.%u.%u) 1 ms%s", i, i >> 8, i & 255,
			   at % 5 == 4 ? "\n" : "");
	}
	f = fmemopen(text.bytes, text.used, "r");
	assert_non_null(f);
	record_reader_init(&r, f, "names", NULL);
	record_init(&rec);
	began = clock();
	assert_int_equal(record_read(&r, &rec, &err), 0);
	assert_true(clock() - began < (clock_t)SECONDS * CLOCKS_PER_SEC);
	assert_int_equal(rec.trace->entry_count, N);
	assert_int_equal(rec.names.count, N);
	assert_string_equal(rec.names.items[258].host, "h258.example");
	record_fini(&rec);
	record_reader_fini(&r);
	buf_fini(&text);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(posted_texts),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(names_as_printed),
		cmocka_unit_test(many_names_backwards_take_no_minute),
		cmocka_unit_test(dates_and_nothing_else),
		cmocka_unit_test(real_traces_hop_by_hop),
	};

	return cmocka_run_group_tests_name("core/record/traceroute_text", tests, NULL, NULL);
}
