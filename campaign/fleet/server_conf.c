// SPDX-License-Identifier: BSD-2-Clause
/* The configuration of nats-server: accounts, permissions as tables, listeners. */
#include "campaign/fleet/server_conf.h"

#include <string.h>

enum { PAYLOAD_MAX = 1 << 20, CLUSTER_PORT = 6222, MONITOR_PORT = 8222 };

/* --- who may what ----------------------------------------------------------------------------- */

/* "%s" is the vantage point. Each row is a subject that may be used and how. */
enum way {
	WAY_ASK,  /* the vantage point publishes it, answers come back: a service of the centre's */
	WAY_HEAR, /* the centre publishes it, the vantage point subscribes */
};
struct passage { enum way way; const char *subject, *shared; };

/* Of a vantage point, and nothing else. shared: as the centre gives it to all. */
static const struct passage passages[] = {
	{WAY_ASK, "bp.result.%s", "bp.result.*"},
	{WAY_ASK, "bp.ask.%s", "bp.ask.*"},
	{WAY_ASK, "$KV.BP_STATUS.%s", "$KV.BP_STATUS.*"},
	/* Which plans are there; the bucket can only be read in this way. */
	{WAY_ASK, "$JS.API.DIRECT.GET.KV_BP_PLANS", "$JS.API.DIRECT.GET.KV_BP_PLANS"},
	{WAY_HEAR, "bp.mark.%s", "bp.mark.*"},
	{WAY_HEAR, "$KV.BP_PLANS.%s.>", "$KV.BP_PLANS.>"},
};
enum { PASSAGES = sizeof(passages) / sizeof(passages[0]) };

#define READ_BUCKET(name) \
	"$JS.API.DIRECT.GET.KV_" name, "$JS.API.DIRECT.GET.KV_" name ".>", \
	"$JS.API.CONSUMER.CREATE.KV_" name ".*.$KV." name ".>"
#define MAKE(stream) "$JS.API.STREAM.INFO." stream, "$JS.API.STREAM.CREATE." stream
#define MEND(stream) MAKE(stream), "$JS.API.STREAM.UPDATE." stream
/* Who comes first makes what is not there yet, and brings what an older program made to what it is
 * now; but what the operator's is the centre does not change. */
#define MAKE_ALL(mend) \
	MEND("BP_RESULTS"), MEND("KV_BP_STATUS"), MEND("KV_BP_CENTRE"), mend("KV_BP_PLANS"), \
	mend("KV_BP_FLEET")

/* Takes results in, says what it has; reads what vantage points and the operator say. */
static const char *const centre_publish[] = {
	MAKE_ALL(MAKE), "$JS.API.CONSUMER.INFO.BP_RESULTS.collect",
	"$JS.API.CONSUMER.DURABLE.CREATE.BP_RESULTS.collect",
	"$JS.API.CONSUMER.DELETE.BP_RESULTS.collect",
	"$JS.API.CONSUMER.MSG.NEXT.BP_RESULTS.collect", "$JS.ACK.BP_RESULTS.collect.>",
	"bp.mark.*", "$KV.BP_CENTRE.*", READ_BUCKET("BP_CENTRE"), READ_BUCKET("BP_STATUS"),
	READ_BUCKET("BP_FLEET"),
	/* Collectors to each other. */
	"bp.round.*",
	/* Answers to vantage points. */
	"_R_.>", NULL,
};
static const char *const centre_hear[] = {
	"bp.ask.*", "bp.round.*", "$KV.BP_STATUS.>", "$KV.BP_FLEET.>", "_INBOX.centre.>", NULL};

/* Writes plans, reads what all say; neither reads nor writes results. */
static const char *const operator_publish[] = {
	MAKE_ALL(MEND), "$JS.API.CONSUMER.INFO.BP_RESULTS.collect",
	"$KV.BP_PLANS.>", "$KV.BP_FLEET.>", READ_BUCKET("BP_PLANS"), READ_BUCKET("BP_FLEET"),
	READ_BUCKET("BP_STATUS"), READ_BUCKET("BP_CENTRE"), NULL,
};
static const char *const operator_hear[] = {
	"$KV.BP_STATUS.>", "$KV.BP_CENTRE.>", "_INBOX.operator.>", NULL};

/* Asks the servers who was turned away. */
static const char *const system_publish[] = {
	"$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.SERVER.PING.STATZ", NULL};
static const char *const system_hear[] = {"_INBOX.system.>", NULL};

/* --- accounts --------------------------------------------------------------------------------- */

static void put_subjects(struct buf *out, const char *key, const char *const *subjects)
{
	buf_printf(out, "\t\t\t\t%s: {allow: [\n", key);
	for (; *subjects != NULL; subjects++)
		buf_printf(out, "\t\t\t\t\t\"%s\"\n", *subjects);
	buf_str(out, "\t\t\t\t]}\n");
}

static void put_user(struct buf *out, const char *who, const char *nkey,
		     const char *const *publish, const char *const *hear)
{
	buf_printf(out, "\t\t{\n\t\t\t# %s\n\t\t\tnkey: %s\n\t\t\tpermissions: {\n", who, nkey);
	put_subjects(out, "publish", publish);
	put_subjects(out, "subscribe", hear);
	buf_str(out, "\t\t\t}\n\t\t}\n");
}

/* A row's subject; of the vantage point, or as all share it where name is NULL. */
static void put_passage(struct buf *out, const struct passage *p, const char *name)
{
	const char *hole = strstr(p->subject, "%s");

	if (name == NULL)
		buf_str(out, p->shared);
	else if (hole == NULL)
		buf_str(out, p->subject);
	else
		buf_printf(out, "%.*s%s%s", (int)(hole - p->subject), p->subject, name, hole + 2);
}

static void put_centre(struct buf *out, const struct roster *r)
{
	buf_str(out, "\tCENTRE: {\n\t\tjetstream: enabled\n\t\tusers: [\n");
	put_user(out, "the centre: borderpath collect", r->centre, centre_publish, centre_hear);
	put_user(out, "the operator: campaign deploy, fleet status", r->operator, operator_publish,
		 operator_hear);
	buf_str(out, "\t\t]\n\t\texports: [\n");
	for (unsigned i = 0; i < PASSAGES; i++) {
		buf_printf(out, "\t\t\t{%s: \"", passages[i].way == WAY_ASK ? "service" : "stream");
		put_passage(out, &passages[i], NULL);
		buf_str(out, "\"}\n");
	}
	buf_str(out, "\t\t]\n\t}\n");
}

static void put_way(struct buf *out, const char *key, enum way way, const char *name,
		    const char *besides)
{
	buf_printf(out, "\t\t\t\t%s: {allow: [\n", key);
	for (unsigned i = 0; i < PASSAGES; i++) {
		if (passages[i].way != way)
			continue;
		buf_str(out, "\t\t\t\t\t\"");
		put_passage(out, &passages[i], name);
		buf_str(out, "\"\n");
	}
	if (besides != NULL)
		buf_printf(out, "\t\t\t\t\t\"%s.%s.>\"\n", besides, name);
	buf_str(out, "\t\t\t\t]}\n");
}

/* The permissions repeat what the account has: so the server tells, by name, who tries more. */
static void put_vantage(struct buf *out, const struct roster_key *k)
{
	buf_printf(out, "\t\"V-%s\": {\n\t\tusers: [\n\t\t{\n\t\t\tnkey: %s\n\t\t\tpermissions: {\n",
		   k->name, k->nkey);
	put_way(out, "publish", WAY_ASK, k->name, NULL);
	put_way(out, "subscribe", WAY_HEAR, k->name, "_INBOX");
	buf_str(out, "\t\t\t}\n\t\t}\n\t\t]\n\t\timports: [\n");
	for (unsigned i = 0; i < PASSAGES; i++) {
		buf_printf(out, "\t\t\t{%s: {account: CENTRE, subject: \"",
			   passages[i].way == WAY_ASK ? "service" : "stream");
		put_passage(out, &passages[i], k->name);
		buf_str(out, "\"}}\n");
	}
	buf_str(out, "\t\t]\n\t}\n");
}

void server_conf_put_accounts(struct buf *out, const struct roster *r)
{
	buf_str(out, "# Made by borderpath: `fleet add` and `fleet revoke` write it anew. Public keys "
		     "only.\naccounts: {\n");
	put_centre(out, r);
	for (unsigned i = 0; i < r->count; i++) {
		if (r->keys[i].revoked.ns == 0)
			put_vantage(out, &r->keys[i]);
	}
	buf_str(out, "\tSYS: {\n\t\tusers: [\n");
	put_user(out, "fleet status, for who was turned away", r->system, system_publish,
		 system_hear);
	buf_str(out, "\t\t]\n\t}\n}\nsystem_account: SYS\n");
}

/* --- listeners -------------------------------------------------------------------------------- */

static void put_host(struct buf *out, const char *host)
{
	buf_printf(out, strchr(host, ':') != NULL ? "[%s]" : "%s", host);
}

static void put_tls(struct buf *out, const char *indent, const char *dir, bool mutual)
{
	buf_printf(out, "%stls: {\n%s\tcert_file: \"%s/server.pem\"\n%s\tkey_file: \"%s/server.key\"\n",
		   indent, indent, dir, indent, dir);
	if (mutual)
		buf_printf(out, "%s\tca_file: \"%s/ca.pem\"\n%s\tverify: true\n", indent, dir, indent);
	buf_printf(out, "%s\ttimeout: 5\n%s}\n", indent, indent);
}

static void put_cluster(struct buf *out, const struct roster_broker *brokers, unsigned count,
			const char *dir)
{
	buf_printf(out, "\ncluster: {\n\tname: borderpath\n\tlisten: \"0.0.0.0:%d\"\n", CLUSTER_PORT);
	put_tls(out, "\t", dir, true);
	buf_str(out, "\troutes: [\n");
	for (unsigned i = 0; i < count; i++) {
		buf_str(out, "\t\t\"nats-route://");
		put_host(out, brokers[i].host);
		buf_printf(out, ":%d\"\n", CLUSTER_PORT);
	}
	buf_str(out, "\t]\n}\n");
}

void server_conf_put(struct buf *out, const struct roster *r, const struct roster_broker *brokers,
		     unsigned count, unsigned at, const struct server_places *places)
{
	buf_str(out, "# A broker of borderpath's fleet, made by `borderpath fleet init`; yours to "
		     "change. Who may\n# what is in accounts.conf. nats-server(8) -c FILE; it reads "
		     "again on SIGHUP.\n");
	buf_printf(out, "server_name: \"borderpath-%u\"\nlisten: \"0.0.0.0:%u\"\nmax_payload: %d\n",
		   at + 1, brokers[at].port, PAYLOAD_MAX);
	if (r->tls)
		put_tls(out, "", places->dir, false);
	buf_printf(out,
		   "# For those on this machine: whether it still answers (borderpath-broker-check).\n"
		   "http: \"127.0.0.1:%d\"\n"
		   "jetstream: {\n\tstore_dir: \"%s\"\n"
		   "\t# Else it is what is free at the start: on a disk that filled up meanwhile the\n"
		   "\t# broker would leave out streams that it has. What may wait is the collector's to\n"
		   "\t# say (--stream-bytes).\n"
		   "\tmax_file_store: 1TB\n}\n",
		   MONITOR_PORT, places->jetstream);
	if (count > 1 && r->tls)
		put_cluster(out, brokers, count, places->dir);
	buf_str(out, "\ninclude \"accounts.conf\"\n");
}
