// SPDX-License-Identifier: BSD-2-Clause
/* Keys of the broker's users, made and read by libsodium. */
#include "campaign/fleet/nkey.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

enum {
	/* Chosen so that the first letters come out as they do: S 18, U 20, of 5 bits. */
	PREFIX_SEED = 18 << 3,
	PREFIX_USER = 20 << 3,
	PUBLIC_RAW = 1 + crypto_sign_PUBLICKEYBYTES + 2,
	SEED_RAW = 2 + crypto_sign_SEEDBYTES + 2,
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* CRC-16/XMODEM: polynomial 0x1021, begun with 0. */
static uint16_t crc16(const uint8_t *bytes, size_t n)
{
	uint16_t crc = 0;

	for (size_t i = 0; i < n; i++) {
		crc = (uint16_t)(crc ^ (uint16_t)(bytes[i] << 8));
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1);
	}
	return crc;
}

/* n bytes whose last two are the check sum, least byte first. */
static void seal(uint8_t *raw, size_t n)
{
	uint16_t crc = crc16(raw, n - 2);

	raw[n - 2] = (uint8_t)(crc & 0xff);
	raw[n - 1] = (uint8_t)(crc >> 8);
}

static bool is_sealed(const uint8_t *raw, size_t n)
{
	uint16_t crc = crc16(raw, n - 2);

	return raw[n - 2] == (crc & 0xff) && raw[n - 1] == crc >> 8;
}

static void encode(const uint8_t *raw, size_t n, char *out)
{
	uint32_t bits = 0;
	unsigned held = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | raw[i];
		held += 8;
		while (held >= 5) {
			held -= 5;
			*out++ = alphabet[bits >> held & 31];
		}
	}
	if (held > 0)
		*out++ = alphabet[bits << (5 - held) & 31];
	*out = '\0';
}

/* Exactly n bytes; false where the text is no base32 of so many. */
static bool decode(const char *text, uint8_t *raw, size_t n)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t got = 0;

	if (strlen(text) != (8 * n + 4) / 5)
		return false;
	for (; *text != '\0'; text++) {
		const char *at = strchr(alphabet, *text);

		if (at == NULL)
			return false;
		bits = bits << 5 | (uint32_t)(at - alphabet);
		held += 5;
		if (held >= 8 && got < n) {
			held -= 8;
			raw[got++] = (uint8_t)(bits >> held);
		}
	}
	/* What is left over of the last letter says nothing. */
	return got == n && (bits & ((1u << held) - 1)) == 0;
}

static void public_text(const uint8_t seed[crypto_sign_SEEDBYTES],
			char out[static NKEY_PUBLIC_TEXT])
{
	uint8_t raw[PUBLIC_RAW] = {PREFIX_USER}, secret[crypto_sign_SECRETKEYBYTES];

	crypto_sign_seed_keypair(raw + 1, secret, seed);
	sodium_memzero(secret, sizeof(secret));
	seal(raw, sizeof(raw));
	encode(raw, sizeof(raw), out);
}

void nkey_make(char seed[static NKEY_SEED_TEXT], char public_key[static NKEY_PUBLIC_TEXT])
{
	/* The seed's type goes into the five bits behind its own prefix. */
	uint8_t raw[SEED_RAW] = {PREFIX_SEED | PREFIX_USER >> 5, (PREFIX_USER & 31) << 3};

	randombytes_buf(raw + 2, crypto_sign_SEEDBYTES);
	seal(raw, sizeof(raw));
	encode(raw, sizeof(raw), seed);
	public_text(raw + 2, public_key);
	sodium_memzero(raw, sizeof(raw));
}

int nkey_public_of(const char *seed, char public_key[static NKEY_PUBLIC_TEXT])
{
	uint8_t raw[SEED_RAW];
	int rc = BP_EPARSE;

	if (decode(seed, raw, sizeof(raw)) && is_sealed(raw, sizeof(raw)) &&
	    raw[0] == (PREFIX_SEED | PREFIX_USER >> 5) && raw[1] == (PREFIX_USER & 31) << 3) {
		public_text(raw + 2, public_key);
		rc = 0;
	}
	sodium_memzero(raw, sizeof(raw));
	return rc;
}

bool nkey_is_public(const char *text)
{
	uint8_t raw[PUBLIC_RAW];

	return decode(text, raw, sizeof(raw)) && is_sealed(raw, sizeof(raw)) &&
	       raw[0] == PREFIX_USER;
}
