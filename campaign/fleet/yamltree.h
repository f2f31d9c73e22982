// SPDX-License-Identifier: BSD-2-Clause
/*
 * YAML as a tree that is changed and written out again, by libyaml: for plans on their way to
 * vantage points. Checks nothing: what is read here was read by geo/yamldoc before, which refuses
 * anchors, deep nesting and what is too large. Private to campaign/fleet.
 */
#ifndef CAMPAIGN_FLEET_YAMLTREE_H
#define CAMPAIGN_FLEET_YAMLTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "core/buf.h"

/* Nodes are numbers; 0 is none, or no memory for one. */
enum { YAMLTREE_ROOT = 1 };

/* BP_EPARSE, BP_ENOMEM. yaml_document_delete, or yamltree_write_take. */
int yamltree_load(const char *yaml, size_t n, yaml_document_t *out);
/* Written out and deleted, also where it fails (false). */
bool yamltree_write_take(yaml_document_t *doc, struct buf *out);

/* Of a single value; "" of anything else. */
const char *yamltree_text(yaml_document_t *doc, int node);
/* The value of a group's key; 0: none. */
int yamltree_find(yaml_document_t *doc, int group, const char *key);
void yamltree_drop(yaml_document_t *doc, int group, const char *key);

int yamltree_scalar(yaml_document_t *doc, const char *text);
/* value 0 is a failure, too: what made it had no memory. */
bool yamltree_add(yaml_document_t *doc, int group, const char *key, int value);
bool yamltree_add_text(yaml_document_t *doc, int group, const char *key, const char *text);
/* A node and all below it, of another tree or of the same. */
int yamltree_copy(yaml_document_t *to, yaml_document_t *from, int node);

#endif
