/* Reading YAML: typing, anchors and merging, positions of mistakes, limits. */
#include "unit.h"

#include <sys/resource.h>
#include <time.h>

#include "base/cleanup.h"
#include "text/yaml.h"

struct reading {
    struct arena *arena;
    struct diag diag;
    struct node *root;
    int result;
};

static struct reading read_text(const char *text, size_t len)
{
    struct reading r = { .arena = arena_new() };

    diag_init(&r.diag, r.arena);
    const struct source *src = source_from_text(r.arena, "/stacks/f.yaml", text, len);
    r.result = yaml_read(&r.root, r.arena, src, &r.diag);
    return r;
}

static void reading_clear(struct reading *r)
{
    diag_clear(&r->diag);
    arena_free(r->arena);
}

#define auto_reading auto_(reading_clear)

static char *printed(const struct diag *d)
{
    auto_str struct str out = STR_INIT;

    diag_print(&out, d, true);
    return str_detach(&out);
}

/* The document reads as this JSON. */
static void assert_reads(const char *text, const char *json)
{
    auto_reading struct reading r = read_text(text, strlen(text));
    auto_str struct str out = STR_INIT;

    if (r.result < 0) {
        auto_free char *why = printed(&r.diag);
        fail_msg("%s: %s", text, why);
    }
    if (r.root)
        node_write_json(&out, r.root, NODE_JSON_COMPACT);
    assert_string_equal(out.buf, json);
}

/* The document is refused, and this stands in the printed diagnostics. */
static void assert_refused(const char *text, const char *message)
{
    auto_reading struct reading r = read_text(text, strlen(text));
    auto_free char *got = printed(&r.diag);

    assert_int_equal(r.result, -1);
    assert_null(r.root);
    if (!strstr(got, message))
        fail_msg("%s: expected '%s' in: %s", text, message, got);
}

static void structures_are_read_in_order(void **state)
{
    (void)state;
    assert_reads("b: 1\na: {x: [1, [], {}], y: z}\n",
                 "{\"b\":1,\"a\":{\"x\":[1,[],{}],\"y\":\"z\"}}");
    assert_reads("- a\n-\n  - b\n- {c: d}\n", "[\"a\",[\"b\"],{\"c\":\"d\"}]");
    assert_reads("{\n\t\"services\": {\n\t\t\"a\": {\"image\":\"x\"}\n\t}\n}\n",
                 "{\"services\":{\"a\":{\"image\":\"x\"}}}");
    assert_reads("a: |\n  one\n   two\nb: >-\n  one\n  two\n\n  three\nc: |+\n  k\n\n",
                 "{\"a\":\"one\\n two\\n\",\"b\":\"one two\\nthree\",\"c\":\"k\\n\\n\"}");
    assert_reads("\xEF\xBB\xBF"
                 "a: 1\r\nb: \"x\\ty\\u00e9\"\r\n",
                 "{\"a\":1,\"b\":\"x\\ty\xC3\xA9\"}");
}

static void an_empty_file_is_no_document(void **state)
{
    (void)state;
    assert_reads("", "");
    assert_reads("# nothing\n\n", "");
    assert_reads("---\n", "");
    assert_reads("null\n", "null");
}

static void plain_scalars_are_typed_as_compose_does(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum node_kind kind;
        const char *value;
    } cases[] = {
        { "~", NODE_NULL, "" },
        { "null", NODE_NULL, "" },
        { "Null", NODE_NULL, "" },
        { "nULL", NODE_STRING, "nULL" },
        { "true", NODE_BOOL, "true" },
        { "True", NODE_BOOL, "true" },
        { "FALSE", NODE_BOOL, "false" },
        { "yes", NODE_STRING, "yes" },
        { "off", NODE_STRING, "off" },
        { "y", NODE_STRING, "y" },
        { "0", NODE_INT, "0" },
        { "-17", NODE_INT, "-17" },
        { "+17", NODE_INT, "17" },
        { "1_000", NODE_INT, "1000" },
        { "0400", NODE_INT, "256" },
        { "0o400", NODE_INT, "256" },
        { "-0o17", NODE_INT, "-15" },
        { "0x1F", NODE_INT, "31" },
        { "0b101", NODE_INT, "5" },
        { "0x", NODE_STRING, "0x" },
        { "08", NODE_FLOAT, "8" },
        { "9223372036854775807", NODE_INT, "9223372036854775807" },
        { "-9223372036854775808", NODE_INT, "-9223372036854775808" },
        { "9223372036854775808", NODE_FLOAT, "9223372036854775808" },
        { "18446744073709551616", NODE_FLOAT, "1.8446744073709552e+19" },
        { "1.10", NODE_FLOAT, "1.1" },
        { "0.1", NODE_FLOAT, "0.1" },
        { ".5", NODE_FLOAT, "0.5" },
        { "-.5", NODE_FLOAT, "-0.5" },
        { "1.", NODE_FLOAT, "1" },
        { "-0.0", NODE_FLOAT, "-0" },
        { "1e3", NODE_FLOAT, "1000" },
        { "1e21", NODE_FLOAT, "1e+21" },
        { "1000000.0", NODE_FLOAT, "1e+06" },
        { "0.00001", NODE_FLOAT, "1e-05" },
        { "123456789.123456789", NODE_FLOAT, "1.2345678912345679e+08" },
        { "1e999", NODE_STRING, "1e999" },
        { "1e", NODE_STRING, "1e" },
        { ".inf", NODE_FLOAT, ".inf" },
        { "-.Inf", NODE_FLOAT, "-.inf" },
        { ".NaN", NODE_FLOAT, ".nan" },
        { ".", NODE_STRING, "." },
        { "-x", NODE_STRING, "-x" },
        { "22:22", NODE_STRING, "22:22" },
        { "1.2.3", NODE_STRING, "1.2.3" },
        { "2026-11-21", NODE_STRING, "2026-11-21" },
        { "nginx", NODE_STRING, "nginx" },
        { "no thing", NODE_STRING, "no thing" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        auto_str struct str text = STR_INIT;
        str_addf(&text, "[ %s ]", cases[i].text);
        auto_reading struct reading r = read_text(text.buf, text.len);
        assert_int_equal(r.result, 0);
        const struct node *n = r.root->items[0];
        if (n->kind != cases[i].kind || strcmp(n->value, cases[i].value) != 0)
            fail_msg("%s: kind %d, value %s", cases[i].text, n->kind, n->value);
        assert_string_equal(n->text, cases[i].text);
        assert_false(n->quoted);
    }
}

static void quotes_make_strings(void **state)
{
    (void)state;
    auto_reading struct reading r = read_text("['1', \"true\", '']", 18);

    node_each (i, r.root) {
        assert_int_equal(r.root->items[i]->kind, NODE_STRING);
        assert_true(r.root->items[i]->quoted);
    }
    assert_reads("a: |\n  5", "{\"a\":\"5\"}");
}

static void tags_set_the_type_or_mark(void **state)
{
    (void)state;
    assert_reads("[!!str 5, !!int '5', !!float 5, !!null '', !!bool 'true', ! 5]",
                 "[\"5\",5,5,null,true,\"5\"]");
    assert_reads("a: !!map {b: !!seq [1]}", "{\"a\":{\"b\":[1]}}");
    assert_refused("a: !!int x", "f.yaml:1:4: error: expected an integer after the tag '!!int'");
    assert_refused("a: !!map [x]", "expected a map after the tag '!!map'");
    assert_refused("a: !Ref x", "f.yaml:1:4: error: unknown tag '!Ref'");
    assert_refused("a: !!binary x", "unknown tag '!!binary'");

    static const char text[] = "a: !reset\nb: !reset [1]\nc: !override {d: 5}\ne: !override 5\n";
    auto_reading struct reading r = read_text(text, strlen(text));
    assert_int_equal(node_get(r.root, "a")->mark, MARK_RESET);
    assert_int_equal(node_get(r.root, "a")->kind, NODE_NULL);
    assert_int_equal(node_get(r.root, "b")->mark, MARK_RESET);
    assert_int_equal(node_get(r.root, "b")->kind, NODE_LIST);
    assert_int_equal(node_get(r.root, "c")->mark, MARK_OVERRIDE);
    assert_int_equal(node_get(r.root, "e")->integer, 5);
    assert_int_equal(node_get(r.root, "e")->mark, MARK_OVERRIDE);
}

static void keys_are_text(void **state)
{
    (void)state;
    assert_reads("'8080': a\n\"true\": b\non: c\n1.2.3: d\n",
                 "{\"8080\":\"a\",\"true\":\"b\",\"on\":\"c\",\"1.2.3\":\"d\"}");
    assert_reads("a: &k name\n*k : v\n", "{\"a\":\"name\",\"name\":\"v\"}");
    assert_refused("a: {80: b}\n",
                   "f.yaml:1:5: error: a key must be text; put it in quotes: \"80\"");
    assert_refused("true: b\n", "f.yaml:1:1: error: a key must be text");
    assert_refused("a: {~: b}\n", "f.yaml:1:5: error: a key must be text");
    assert_refused("{a: b}: c\n", "f.yaml:1:1: error: a key must be plain text");
    assert_refused("image: {{ .Values.image }}\n", "a key must be plain text");
    assert_refused("a: &l [1]\n*l : v\n", "f.yaml:2:1: error: a key must be plain text");
}

static void a_repeated_key_names_both_places(void **state)
{
    (void)state;
    assert_refused("a:\n  image: x\n  env: {}\n  'image': y\n",
                   "f.yaml:4:3: error: key 'image' is already at line 2, column 3");
    assert_refused("a: {b: 1, b: 2, b: 3}\n",
                   "f.yaml:1:11: error: key 'b' is already at line 1, column 5\n"
                   "/stacks/f.yaml:1:17: error: key 'b' is already at line 1, column 5");
    assert_refused("<<: {a: 1}\n<<: {b: 1}\n", "key '<<' is already");
}

static void aliases_become_copies(void **state)
{
    (void)state;
    static const char text[] = "a: &x {k: [1, 2]}\nb: *x\nc: *x\n";
    auto_reading struct reading r = read_text(text, strlen(text));

    assert_int_equal(r.result, 0);
    assert_ptr_not_equal(node_get(r.root, "a"), node_get(r.root, "b"));
    node_append(r.arena, node_at(r.root, "b.k"), node_int(r.arena, 3, (struct span){ 0 }));
    assert_int_equal(node_at(r.root, "a.k")->len, 2);
    assert_int_equal(node_at(r.root, "c.k")->len, 2);

    assert_reads("a: &x 1\nb: *x\nc: &x 2\nd: *x\n", "{\"a\":1,\"b\":1,\"c\":2,\"d\":2}");
    assert_reads("a: &x\n  b: &y [1]\n  c: *y\nd: [*x, *y]\n",
                 "{\"a\":{\"b\":[1],\"c\":[1]},\"d\":[{\"b\":[1],\"c\":[1]},[1]]}");
    assert_refused("a: *x\n", "f.yaml:1:4: error: unknown alias '*x', no '&x' stands before it");
    assert_refused("a: &x\n  b: *x\n", "f.yaml:2:6: error: alias '*x' stands inside of what it");
}

static void merge_keys_fill_in_what_is_missing(void **state)
{
    (void)state;
    assert_reads("b: &b {x: 1, y: 2}\nc: {<<: *b, y: 3, z: 4}\n",
                 "{\"b\":{\"x\":1,\"y\":2},\"c\":{\"y\":3,\"z\":4,\"x\":1}}");
    assert_reads("<<: [{A: 1, B: 1}, {B: 2, C: 2}]\nC: 3\n", "{\"C\":3,\"A\":1,\"B\":1}");
    assert_reads("<<: {a: 1, <<: {a: 2, b: 2}}\n", "{\"a\":1,\"b\":2}");
    assert_reads("a: &a {k: &l [1]}\nb: &b {<<: *a, m: 1}\nc: {<<: *b, n: *l}\n",
                 "{\"a\":{\"k\":[1]},\"b\":{\"m\":1,\"k\":[1]},"
                 "\"c\":{\"n\":[1],\"m\":1,\"k\":[1]}}");
    assert_reads("x: &x {a: 1}\ny: &y [*x, {b: 2}]\nz: {<<: *y}\n",
                 "{\"x\":{\"a\":1},\"y\":[{\"a\":1},{\"b\":2}],\"z\":{\"a\":1,\"b\":2}}");
    assert_reads("a: {k: 1, <<: {k: 2}}\nb: {k: , <<: {k: 2}}\n",
                 "{\"a\":{\"k\":1},\"b\":{\"k\":null}}");
    assert_reads("'<<': {a: 1}\n", "{\"<<\":{\"a\":1}}");
    assert_reads("a: {!!merge <<: {k: 1}}\n", "{\"a\":{\"k\":1}}");
    assert_refused("a: {<<: 5}\n", "f.yaml:1:9: error: '<<' takes a map or a list of maps");
    assert_refused("a: {<<: }\n", "'<<' takes a map");
    assert_refused("a: {<<: [{}, x]}\n", "f.yaml:1:14: error: '<<' takes a map");
}

static void nodes_know_their_positions(void **state)
{
    (void)state;
    static const char text[] = "services:\n  \xC3\xA9t\xC3\xA9: {image: x}\n";
    auto_reading struct reading r = read_text(text, strlen(text));
    const struct node *services = node_get(r.root, "services");
    const struct node *image = node_at(services->items[0], "image");

    assert_int_equal(services->key_spans[0].line, 2);
    assert_int_equal(services->key_spans[0].column, 3);
    assert_int_equal(image->span.line, 2);
    assert_int_equal(image->span.column, 16); /* in characters */
    assert_string_equal(image->span.source->path, "/stacks/f.yaml");
}

static void mistakes_are_told_in_plain_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        { "a:\n\tb: 1\n", "f.yaml:2:1: error: a tab cannot be used for indentation" },
        { "a:\n  b: 1\n\tc: 2\n", "f.yaml:3:1: error: a tab cannot be used for indentation" },
        { "\xC3\xA9: x\na: @b\n", "f.yaml:2:4: error: text without quotes cannot start with" },
        { "a: b: c\n", "f.yaml:1:5: error: unexpected ':', no key can stand here" },
        { "a: 1\n  b: 2\n", "f.yaml:2:4: error: unexpected ':', no key can stand here" },
        { "a:\n    b: 1\n  c: 2\n", "f.yaml:3:3: error: expected a key of the map that starts at" },
        { "a:\n  b: \"x\"y\n", "f.yaml:2:9: error: unexpected text behind a value" },
        { "a:\n  - \"x\"]\n", "expected '- ', an item of the list that starts at line 2" },
        { "a: [1, 2\nb: 1\n", "expected ',' or ']'" },
        { "a: {b: 1\n",
          "expected ',' or '}', to go on or end the map that starts at line 1, column 4" },
        { "a: 'b\nc: d\n", "f.yaml:1:4: error: the quotes that open here are never closed" },
        { "a: 1\nb\nc: 2\n", "f.yaml:2:1: error: expected ':' after the key that starts here" },
        { "a: \"\\q\"\n", "unknown escape sequence in double quotes" },
        { "a: *\n", "f.yaml:1:4: error: expected a name after '*' or '&'" },
        { "a: |x\n  b\n", "expected the end of the line here" },
        { "% a\n", "f.yaml:1:1: error: unexpected '%' at the start of a line" },
        { "a: !x!y z\n", "f.yaml:1:4: error: unknown tag" },
        { "a: 1\n---\nb: 2\n", "f.yaml:2:1: error: a second document starts here" },
        { "a: \x01\n", "f.yaml:1:4: error: control characters are not allowed" },
        { "\xC3\xA9: \xFF\n", "f.yaml:1:4: error: not UTF-8 text" },
        { "a: \"x\\0y\"\n", "f.yaml:1:4: error: text must not contain the character NUL" },
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_refused(cases[i].text, cases[i].message);
}

static void mistakes_never_show_values(void **state)
{
    (void)state;
    static const char *const texts[] = { "password: hunter2: x\n", "password: @hunter2\n",
                                         "password: 'hunter2\n",   "password: [hunter2\n",
                                         "password: !x hunter2\n", "password: !!int hunter2\n" };

    for (size_t i = 0; i < countof(texts); i++) {
        auto_reading struct reading r = read_text(texts[i], strlen(texts[i]));
        auto_free char *got = printed(&r.diag);
        assert_int_equal(r.result, -1);
        assert_null(strstr(got, "hunter2"));
    }
}

static void all_repeated_keys_are_reported_in_one_run(void **state)
{
    (void)state;
    static const char text[] = "a: {x: 1, x: 2}\nb: {y: 1, y: 2}\nc: !z d\n";
    auto_reading struct reading r = read_text(text, strlen(text));

    assert_int_equal(r.diag.errors, 3);
}

/* Nine lists of nine aliases each: 9^9 values out of half a kilobyte. */
static void a_bomb_is_refused_at_once(void **state)
{
    (void)state;
    auto_str struct str text = STR_INIT;
    struct rusage before, after;
    struct timespec t0, t1;

    str_add(&text, "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (char c = 'b'; c <= 'i'; c++) {
        str_addf(&text, "%c: &%c [", c, c);
        for (int i = 0; i < 9; i++)
            str_addf(&text, "%s*%c", i ? ", " : "", c - 1);
        str_add(&text, "]\n");
    }
    getrusage(RUSAGE_SELF, &before);
    clock_gettime(CLOCK_MONOTONIC, &t0);
    assert_refused(text.buf, "more than 1000000 values, aliases expanded");
    clock_gettime(CLOCK_MONOTONIC, &t1);
    getrusage(RUSAGE_SELF, &after);
    assert_true(t1.tv_sec - t0.tv_sec < 1 ||
                (t1.tv_sec - t0.tv_sec == 1 && t1.tv_nsec < t0.tv_nsec));
    assert_true(after.ru_maxrss - before.ru_maxrss < 64 * 1024);
}

static void nesting_is_limited(void **state)
{
    (void)state;
    auto_str struct str ok = STR_INIT;
    auto_str struct str deep = STR_INIT;
    auto_str struct str aliased = STR_INIT;

    for (int i = 0; i < YAML_MAX_DEPTH - 1; i++)
        str_addc(&ok, '[');
    str_addc(&ok, '1');
    for (int i = 0; i < YAML_MAX_DEPTH - 1; i++)
        str_addc(&ok, ']');
    assert_reads(ok.buf, ok.buf);

    for (int i = 0; i < 100000; i++)
        str_addc(&deep, '[');
    assert_refused(deep.buf, "nested deeper than 100 levels");

    str_add(&aliased, "a0: &a0 [[[[[[[[[[1]]]]]]]]]]\n");
    for (int i = 1; i < 10; i++)
        str_addf(&aliased, "a%d: &a%d [[[[[[[[[[*a%d]]]]]]]]]]\n", i, i, i - 1);
    assert_refused(aliased.buf, "nested deeper than 100 levels");
}

static void ten_thousand_keys_are_no_trouble(void **state)
{
    (void)state;
    auto_str struct str text = STR_INIT;
    struct timespec t0, t1;

    str_add(&text, "a: &a\n");
    for (int i = 0; i < 20000; i++)
        str_addf(&text, "  key%05d: 1\n", (i * 7919) % 20000);
    str_add(&text, "b:\n  <<: *a\n");
    for (int i = 0; i < 20000; i++)
        str_addf(&text, "  kez%05d: 1\n", i);
    clock_gettime(CLOCK_MONOTONIC, &t0);
    auto_reading struct reading r = read_text(text.buf, text.len);
    clock_gettime(CLOCK_MONOTONIC, &t1);
    assert_int_equal(r.result, 0);
    assert_int_equal(node_get(r.root, "b")->len, 40000);
    assert_true((t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000 < 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structures_are_read_in_order),
        cmocka_unit_test(an_empty_file_is_no_document),
        cmocka_unit_test(plain_scalars_are_typed_as_compose_does),
        cmocka_unit_test(quotes_make_strings),
        cmocka_unit_test(tags_set_the_type_or_mark),
        cmocka_unit_test(keys_are_text),
        cmocka_unit_test(a_repeated_key_names_both_places),
        cmocka_unit_test(aliases_become_copies),
        cmocka_unit_test(merge_keys_fill_in_what_is_missing),
        cmocka_unit_test(nodes_know_their_positions),
        cmocka_unit_test(mistakes_are_told_in_plain_words),
        cmocka_unit_test(mistakes_never_show_values),
        cmocka_unit_test(all_repeated_keys_are_reported_in_one_run),
        cmocka_unit_test(a_bomb_is_refused_at_once),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(ten_thousand_keys_are_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
