// SPDX-License-Identifier: BSD-2-Clause
/* Contact data: schema, checks, places, and probing.txt. */
#include "campaign/contact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/text.h"
#include "geo/places.h"
#include "geo/yamldoc.h"

struct raw_contact { const char *who, *url, *mail; };
struct raw_file { struct raw_contact contact; };

enum { EXPIRES_DAYS = 364 };

#define TEXT(key, flags, member, size) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | (flags), struct raw_contact, member, 1, \
			       (size) - 1)

static const cyaml_schema_field_t contact_fields[] = {
	TEXT("who", 0, who, CONTACT_WHO_TEXT),
	TEXT("url", CYAML_FLAG_OPTIONAL, url, CONTACT_URL_TEXT),
	TEXT("mail", CYAML_FLAG_OPTIONAL, mail, CONTACT_MAIL_TEXT),
	CYAML_FIELD_END};

static const cyaml_schema_field_t file_fields[] = {
	CYAML_FIELD_MAPPING("contact", CYAML_FLAG_DEFAULT, struct raw_file, contact, contact_fields),
	CYAML_FIELD_END};

static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_file, file_fields)};

/* One line of text that fits: it goes into a file of lines. */
static bool is_line(const char *text, size_t size)
{
	for (const char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	}
	return text[0] != '\0' && strlen(text) < size;
}

/* No blanks, nothing that would end it early: enough to tell a URL from a sentence. */
static bool is_url(const char *text)
{
	static const char scheme[] = "https://";

	return strncasecmp(text, scheme, sizeof(scheme) - 1) == 0 &&
	       text[sizeof(scheme) - 1] != '\0' && strpbrk(text, " <>\"\\^`{|}") == NULL;
}

static bool is_mail(const char *text)
{
	const char *at = strchr(text, '@');

	return at != NULL && at != text && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
	       strpbrk(text, " <>\",;:\\()[]") == NULL;
}

int contact_set(struct contact *out, const char *who, const char *url, const char *mail,
		struct bp_error *err)
{
	if (who == NULL || !is_line(who, sizeof(out->who)))
		return bp_fail(err, BP_EINVAL, "contact: who must say on one line who measures");
	if (url == NULL && mail == NULL)
		return bp_fail(err, BP_EINVAL, "contact: url or mail must say where to write to");
	if (url != NULL && (!is_line(url, sizeof(out->url)) || !is_url(url)))
		return bp_fail(err, BP_EINVAL, "contact: url must be https://...");
	if (mail != NULL && (!is_line(mail, sizeof(out->mail)) || !is_mail(mail)))
		return bp_fail(err, BP_EINVAL, "contact: mail must be an address, name@host");
	*out = (struct contact){0};
	text_set(out->who, sizeof(out->who), who);
	text_set(out->url, sizeof(out->url), url != NULL ? url : "");
	text_set(out->mail, sizeof(out->mail), mail != NULL ? mail : "");
	return 0;
}

int contact_parse(const char *name, const char *yaml, size_t n, struct contact *out,
		  struct bp_error *err)
{
	struct yamldoc doc = {0};
	struct raw_file *raw;
	void *loaded = NULL;
	struct bp_error wrong;
	int rc = yamldoc_parse(&doc, name, yaml, n, err);

	if (rc == 0)
		rc = yamldoc_load(&doc, &file_schema, &loaded, err);
	if (rc == 0) {
		raw = loaded;
		rc = contact_set(out, raw->contact.who, raw->contact.url, raw->contact.mail,
				 &wrong);
		if (rc < 0)
			rc = yamldoc_fail(&doc, err, rc, "contact", "%s", wrong.text);
	}
	if (loaded != NULL)
		yamldoc_free_loaded(&file_schema, loaded);
	yamldoc_fini(&doc);
	return rc;
}

static int load(const char *path, struct contact *out, struct bp_error *err)
{
	char *text = NULL;
	size_t n = 0;
	int rc = yamldoc_read_file(path, "contact", &text, &n, err);

	if (rc == 0)
		rc = contact_parse(path, text, n, out, err);
	free(text);
	return rc;
}

int contact_load(const char *path, struct contact *out, struct bp_error *err)
{
	char place[PLACES_PATH_MAX];

	if (path != NULL)
		return load(path, out, err);
	for (int i = 0; i < PLACES_CONFIGS; i++) {
		if (places_config(i, "contact.yaml", place) && access(place, F_OK) == 0)
			return load(place, out, err);
	}
	return bp_fail(err, BP_ENOTFOUND, "nobody is named in contact.yaml");
}

/* In a mailto URI all else is written as percent and two digits (RFC 6068, section 2). */
static void put_mail(struct buf *out, const char *mail)
{
	static const char plain[] = "-._~!$'()*+,:@";

	for (const char *c = mail; *c != '\0'; c++) {
		bool kept = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
			    (*c >= 'A' && *c <= 'Z') || strchr(plain, *c) != NULL;

		if (kept)
			buf_char(out, *c);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)*c);
	}
}

void contact_write_probing(struct buf *out, const struct contact *c, const char *description,
			   struct wall now)
{
	struct wall expires = {now.ns + EXPIRES_DAYS * 24 * 3600 * NS_PER_S};
	char text[WALL_TEXT];

	buf_str(out, "# Who sends these probes (RFC 9511). To be found at\n"
		     "# https://NAME/.well-known/probing.txt, NAME being the reverse name of their source "
		     "address.\n");
	if (c->mail[0] != '\0') {
		buf_str(out, "Contact: mailto:");
		put_mail(out, c->mail);
		buf_char(out, '\n');
	}
	if (c->url[0] != '\0')
		buf_printf(out, "Contact: %s\n", c->url);
	/* Whole seconds are enough. */
	expires.ns -= expires.ns % NS_PER_S;
	wall_format(expires, text);
	buf_printf(out, "Expires: %.19sZ\n", text);
	buf_str(out, "Preferred-Languages: en\n");
	buf_printf(out, "Description: %s, for %s\n", description, c->who);
}
