/* What commands list: the same rows as a table, as JSON, or by a template, as docker has it. */
#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include <jansson.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/num.h"

struct label;

struct listing_column {
    const char *title; /* "CONFIG FILES" */
    const char *field; /* its name in JSON and templates: "ConfigFiles" */
};

struct listing;
struct listing *listing_new(const struct listing_column *columns, size_t n);
/* `row`, an object, is taken over; `cells` are the texts of the columns; NULL: the fields, which
 * are strings. */
void listing_add(struct listing *l, json_t *row, const char *const *cells);

/* `format`: NULL or "table"; "json"; "table TEMPLATE"; or a template, used for each row. JSON is a
 * list, or with `lines` an object a line. A table is cut to the width of a terminal unless
 * no_trunc. */
int listing_print(const struct listing *l, const char *format, bool lines, bool no_trunc, FILE *f,
                  struct error *err);
void listing_free(struct listing *l);
DEFINE_FREEP(struct listing, listing_free)

/* One line of text from outside. */
void listing_line(FILE *f, const char *text);
/* "3 seconds", "About an hour": as docker tells ages. */
const char *listing_age(char buf[NUM_TEXT_MAX], int64_t seconds);
/* The first `most` characters of a text, an ellipsis the last one if it was cut; the caller's. */
char *listing_cut(const char *text, size_t most);
/* "key=value,other=value", as docker lists labels; the caller's. */
char *listing_labels(const struct label *labels, size_t n);

#endif
