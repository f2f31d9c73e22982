// SPDX-License-Identifier: BSD-2-Clause
/* X.509 by OpenSSL: an authority, and what it signs. */
#include "campaign/fleet/certs.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sodium.h>
#include <string.h>

#include "core/addr.h"

enum { DAYS = 3653, SKEW_S = 86400, SERIAL_BYTES = 16 };

static int no_luck(const char *what, struct bp_error *err)
{
	char why[160] = "no reason given";
	unsigned long code = ERR_get_error();

	if (code != 0)
		ERR_error_string_n(code, why, sizeof(why));
	return bp_fail(err, BP_EIO, "OpenSSL made no %s: %s", what, why);
}

static bool set_serial(X509 *x)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *n;
	bool ok;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	/* Positive, and never 0. */
	bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 1);
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return ok;
}

static bool add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *e;
	bool ok;

	X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ok = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static X509 *begin(const char *name, EVP_PKEY *key)
{
	X509 *x = X509_new();

	/* A clock that is a day behind must not refuse it. */
	if (x != NULL && X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -SKEW_S) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(x), DAYS, 0, NULL) != NULL &&
	    X509_set_pubkey(x, key) == 1 &&
	    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
				       (const unsigned char *)name, -1, -1, 0) == 1)
		return x;
	X509_free(x);
	return NULL;
}

static X509 *make_authority(EVP_PKEY *key)
{
	X509 *x = begin("borderpath fleet", key);

	if (x != NULL && X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
	    add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	    add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    add_extension(x, x, NID_subject_key_identifier, "hash") &&
	    X509_sign(x, key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	return NULL;
}

/* A broker's, for agents that dial it and for the other brokers. */
static X509 *make_server(const struct buf *names, EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key)
{
	X509 *x = begin("borderpath broker", key);

	if (x != NULL && X509_set_issuer_name(x, X509_get_subject_name(ca)) == 1 &&
	    add_extension(x, ca, NID_basic_constraints, "critical,CA:FALSE") &&
	    add_extension(x, ca, NID_key_usage, "critical,digitalSignature") &&
	    add_extension(x, ca, NID_ext_key_usage, "serverAuth,clientAuth") &&
	    add_extension(x, ca, NID_authority_key_identifier, "keyid") &&
	    add_extension(x, ca, NID_subject_alt_name, names->bytes) &&
	    X509_sign(x, ca_key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	return NULL;
}

static bool put_pem(struct buf *out, X509 *cert, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	long n;
	bool ok = bio != NULL && (cert != NULL ? PEM_write_bio_X509(bio, cert)
					       : PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL,
									       0, NULL, NULL)) == 1;

	if (ok) {
		n = BIO_get_mem_data(bio, &bytes);
		buf_append(out, bytes, (size_t)n);
		if (cert == NULL)
			sodium_memzero(bytes, (size_t)n);
	}
	BIO_free(bio);
	return ok && !out->failed;
}

static void put_names(struct buf *out, const char *const *hosts, unsigned count)
{
	struct addr a;

	for (unsigned i = 0; i < count; i++)
		buf_printf(out, "%s%s:%s", i > 0 ? "," : "",
			   addr_parse(hosts[i], &a) == 0 ? "IP" : "DNS", hosts[i]);
}

int certs_make(const char *const *hosts, unsigned count, struct certs *out, struct bp_error *err)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *ca = NULL, *server = NULL;
	struct certs made = {0};
	struct buf names;
	int rc = 0;

	buf_init(&names);
	put_names(&names, hosts, count);
	if (ca_key == NULL || key == NULL)
		rc = no_luck("key", err);
	if (rc == 0 && (ca = make_authority(ca_key)) == NULL)
		rc = no_luck("authority", err);
	if (rc == 0 && (names.failed || (server = make_server(&names, key, ca, ca_key)) == NULL))
		rc = no_luck("certificate of these names", err);
	if (rc == 0 && (!put_pem(&made.ca, ca, NULL) || !put_pem(&made.ca_key, NULL, ca_key) ||
			!put_pem(&made.server, server, NULL) ||
			!put_pem(&made.server_key, NULL, key)))
		rc = no_luck("PEM", err);
	if (rc == 0)
		*out = made;
	else
		certs_fini(&made);
	buf_fini(&names);
	X509_free(ca);
	X509_free(server);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	return rc;
}

static void wipe(struct buf *b)
{
	if (b->bytes != NULL)
		sodium_memzero(b->bytes, b->used);
	buf_fini(b);
}

void certs_fini(struct certs *c)
{
	buf_fini(&c->ca);
	buf_fini(&c->server);
	wipe(&c->ca_key);
	wipe(&c->server_key);
}
