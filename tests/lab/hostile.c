// SPDX-License-Identifier: BSD-2-Clause
/*
 * Somebody who has a key of a fleet, or none that holds, and tries what he may not: says one thing
 * to the broker and prints what came of it. No program of ours, and none of its manners.
 *
 *	hostile URL CA SEED KEY pub SUBJECT FILE [REPLY]    the file's bytes as a message
 *	hostile URL CA SEED KEY batch SUBJECT FILE [REPLY]  as a zstd frame with a checksum
 *	hostile URL CA SEED KEY sub SUBJECT                 listens for two seconds
 *
 * Prints "refused: ..." (no connection), "denied: ..." (the server's words), "answer: ..." (to what
 * was published, or heard) or "nothing". Ends with 0 but where it was called wrongly.
 */
#include <nats/nats.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { FILE_MAX = 4 << 20, WAIT_MS = 2000, STEP_MS = 50 };

struct said { pthread_mutex_t lock; char text[512]; };

static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus s, void *arg)
{
	struct said *said = arg;
	const char *text = NULL;

	(void)sub, (void)s;
	natsConnection_GetLastError(nc, &text);
	pthread_mutex_lock(&said->lock);
	snprintf(said->text, sizeof(said->text), "%s", text != NULL ? text : "");
	pthread_mutex_unlock(&said->lock);
}

static bool was_denied(struct said *said)
{
	bool any;

	pthread_mutex_lock(&said->lock);
	any = said->text[0] != '\0';
	pthread_mutex_unlock(&said->lock);
	return any;
}

static char *read_file(const char *path, int *n)
{
	FILE *f = fopen(path, "re");
	char *bytes = malloc(FILE_MAX);

	if (f == NULL || bytes == NULL)
		exit(2);
	*n = (int)fread(bytes, 1, FILE_MAX, f);
	fclose(f);
	return bytes;
}

static char *compress(char *plain, int *n)
{
	size_t room = ZSTD_compressBound((size_t)*n), made;
	ZSTD_CCtx *z = ZSTD_createCCtx();
	char *bytes = malloc(room);

	if (z == NULL || bytes == NULL)
		exit(2);
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	made = ZSTD_compress2(z, bytes, room, plain, (size_t)*n);
	ZSTD_freeCCtx(z);
	free(plain);
	*n = (int)made;
	return bytes;
}

static natsConnection *dial(char **argv, struct said *said)
{
	natsOptions *o = NULL;
	natsConnection *nc = NULL;
	natsStatus s = natsOptions_Create(&o);

	if (s == NATS_OK)
		s = natsOptions_SetURL(o, argv[1]);
	if (s == NATS_OK && strncmp(argv[1], "tls:", 4) == 0)
		s = natsOptions_SetSecure(o, true);
	if (s == NATS_OK && argv[2][0] != '\0')
		s = natsOptions_LoadCATrustedCertificates(o, argv[2]);
	if (s == NATS_OK && argv[3][0] != '\0')
		s = natsOptions_SetNKeyFromSeed(o, argv[4], argv[3]);
	if (s == NATS_OK)
		s = natsOptions_SetErrorHandler(o, on_error, said);
	if (s == NATS_OK)
		s = natsOptions_SetAllowReconnect(o, false);
	/* As bus.c says: once in 256 times the library sends no signature. */
	for (int i = 0; i < 3 && s == NATS_OK && nc == NULL; i++) {
		natsStatus tried = natsConnection_Connect(&nc, o);

		if (tried != NATS_CONNECTION_AUTH_FAILED || i == 2)
			s = tried;
	}
	if (s != NATS_OK)
		printf("refused: %s\n", nats_GetLastError(NULL));
	natsOptions_Destroy(o);
	return nc;
}

int main(int argc, char **argv)
{
	struct said said = {.lock = PTHREAD_MUTEX_INITIALIZER};
	natsConnection *nc;
	natsSubscription *sub = NULL;
	natsMsg *m = NULL;
	const char *subject, *reply;
	char inbox[128];

	if (argc < 7)
		return 2;
	nc = dial(argv, &said);
	if (nc == NULL)
		return 0;
	subject = argv[6];
	/* Answers where its permissions let it hear them: NAME is the last of bp.result.NAME. */
	snprintf(inbox, sizeof(inbox), "_INBOX.%s.hostile", getenv("HOSTILE_NAME"));
	reply = argc > 8 ? argv[8] : inbox;
	if (strcmp(argv[5], "sub") == 0) {
		natsConnection_SubscribeSync(&sub, nc, subject);
	} else {
		int n = 0;
		char *bytes = read_file(argv[7], &n);

		if (strcmp(argv[5], "batch") == 0)
			bytes = compress(bytes, &n);
		natsConnection_SubscribeSync(&sub, nc, inbox);
		if (natsConnection_PublishRequest(nc, subject, reply, bytes, n) != NATS_OK)
			printf("refused: %s\n", nats_GetLastError(NULL));
		free(bytes);
	}
	natsConnection_FlushTimeout(nc, WAIT_MS);
	/* What was denied is told by another thread, some time. */
	for (int waited = 0; waited < WAIT_MS && m == NULL && !was_denied(&said); waited += STEP_MS)
		natsSubscription_NextMsg(&m, sub, STEP_MS);
	if (was_denied(&said))
		printf("denied: %s\n", said.text);
	else if (m != NULL)
		printf("answer: %.*s\n", natsMsg_GetDataLength(m), natsMsg_GetData(m));
	else
		printf("nothing\n");
	natsMsg_Destroy(m);
	natsSubscription_Destroy(sub);
	natsConnection_Destroy(nc);
	return 0;
}
