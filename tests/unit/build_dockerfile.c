/* Dockerfiles: the images that they name, and how those are rewritten. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "build/dockerfile.h"
#include "text/yaml.h"

struct parsed {
    struct arena *arena;
    struct dockerfile df;
};

static void parsed_clear(struct parsed *p)
{
    arena_free(p->arena);
}
#define auto_parsed __attribute__((unused, cleanup(parsed_clear)))

static struct parsed parse_with(const char *text, const struct dockerfile_args *args)
{
    struct parsed p = { .arena = arena_new() };
    dockerfile_parse(&p.df, p.arena, text, strlen(text), args);
    return p;
}

static struct parsed parse(const char *text)
{
    return parse_with(text, NULL);
}

/* Use i is written so at its place, and means `ref` or the stage `source`. */
static void assert_use(const struct parsed *p, size_t i, const char *written, const char *ref,
                       long source)
{
    assert_true(i < p->df.nuses);
    const struct dockerfile_use *use = &p->df.uses[i];
    auto_free char *there = xstrndup(p->df.text + use->offset, use->len);
    assert_string_equal(there, written);
    if (ref)
        assert_string_equal(use->ref, ref);
    else
        assert_null(use->ref);
    assert_int_equal(use->source, source);
}

static void images_and_stages(void **state)
{
    (void)state;
    auto_parsed struct parsed p =
        parse("FROM golang:1.22 AS Build\n"
              "RUN make\n"
              "from --platform=linux/amd64 build as test\n"
              "FROM scratch\n"
              "COPY --chown=1:1 --from=build /a /b\n"
              "COPY --from=0 /a /b\n"
              "COPY --from=nginx:1 /a /b\n"
              "COPY /from=x /b\n"
              "RUN --mount=type=bind,from=tools,target=/t --mount=type=cache,target=/c x\n"
              "COPY a --from=late b\n");
    assert_int_equal(p.df.nstages, 3);
    assert_string_equal(p.df.stages[0].name, "build");
    assert_string_equal(p.df.stages[1].name, "test");
    assert_null(p.df.stages[2].name);
    assert_int_equal(p.df.nuses, 7);
    assert_use(&p, 0, "golang:1.22", "golang:1.22", -1);
    assert_use(&p, 1, "build", NULL, 0);
    assert_true(p.df.uses[1].platform);
    assert_use(&p, 2, "scratch", NULL, -1);
    assert_use(&p, 3, "build", NULL, 0);
    assert_use(&p, 4, "0", NULL, 0);
    assert_use(&p, 5, "nginx:1", "nginx:1", -1);
    assert_use(&p, 6, "tools", "tools", -1);
    assert_int_equal(p.df.uses[6].stage, 2);
}

static void a_stage_cannot_name_itself_or_a_later_one(void **state)
{
    (void)state;
    auto_parsed struct parsed p = parse("FROM web AS web\n"
                                        "COPY --from=web /a /b\n"
                                        "COPY --from=later /a /b\n"
                                        "FROM a AS later\n");
    assert_use(&p, 0, "web", "web", -1);
    assert_use(&p, 1, "web", "web", -1);
    assert_use(&p, 2, "later", "later", -1);
}

static void continued_lines_and_comments(void **state)
{
    (void)state;
    auto_parsed struct parsed p = parse("# a comment\n"
                                        "\n"
                                        "FROM \\\n"
                                        "  # in between\n"
                                        "\n"
                                        "  busy\\\n"
                                        "box \\  \n"
                                        "  AS one\r\n"
                                        "RUN echo 'FROM nobody' \\\n"
                                        "FROM nobody\n"
                                        "RUN cmd C:\\\\\n"
                                        "FROM second\n"
                                        "COPY --from=one /a /b");
    assert_int_equal(p.df.nstages, 2);
    assert_use(&p, 0, "busy\\\nbox", "busybox", -1);
    assert_use(&p, 1, "second", "second", -1);
    assert_use(&p, 2, "one", NULL, 0);
}

static void directives(void **state)
{
    (void)state;
    auto_parsed struct parsed p = parse("\xef\xbb\xbf# syntax = docker/dockerfile:1\n"
                                        "#escape=`\n"
                                        "FROM `\n"
                                        "  windows `\n"
                                        "  AS w\n"
                                        "COPY a c:\\\n"
                                        "FROM x\n");
    assert_string_equal(p.df.syntax, "docker/dockerfile:1");
    assert_int_equal(p.df.nstages, 2);
    assert_use(&p, 0, "windows", "windows", -1);
    assert_string_equal(p.df.stages[0].name, "w");

    auto_parsed struct parsed late = parse("# just words\n# escape=`\nFROM a\\\nb\n");
    assert_use(&late, 0, "a\\\nb", "ab", -1);
}

static void here_documents(void **state)
{
    (void)state;
    auto_parsed struct parsed p = parse("FROM a\n"
                                        "RUN <<EOF cat <<-'two' > /x\n"
                                        "FROM not-this\n"
                                        "EOF\n"
                                        "FROM nor-this\n"
                                        "\ttwo\n"
                                        "COPY <<a.txt <<b.txt /dst/\n"
                                        "FROM x\n"
                                        "a.txt\n"
                                        "FROM y\n"
                                        "b.txt\n"
                                        "ONBUILD RUN <<E\n"
                                        "FROM z\n"
                                        "E\n"
                                        "FROM b\n"
                                        "RUN echo \"<<EOF\" $((1<<2))\n"
                                        "FROM c\n");
    assert_true(p.df.heredocs);
    assert_int_equal(p.df.nstages, 3);
    assert_use(&p, 0, "a", "a", -1);
    assert_use(&p, 1, "b", "b", -1);
    assert_use(&p, 2, "c", "c", -1);

    auto_parsed struct parsed none = parse("FROM a\nLABEL x=<<EOF\nFROM b\n");
    assert_false(none.df.heredocs);
    assert_int_equal(none.df.nstages, 2);
}

static struct node *map(struct arena *a, const char *key, const char *value)
{
    struct span nowhere = { 0 };
    struct node *n = node_new(a, NODE_MAP, nowhere);
    node_set_string(a, n, key, value);
    return n;
}

static void variables_in_from(void **state)
{
    (void)state;
    static const char text[] = "ARG BASE=debian\n"
                               "ARG TAG EMPTY= QUOTED=\"a b\" FULL=${BASE}:${TAG:-12}\n"
                               "FROM $BASE\n"
                               "FROM ${BASE}:${TAG:-bookworm}-${EMPTY:-slim}${TAG:+x}${EMPTY-no}\n"
                               "FROM ${UNSET:-${BASE}-x}\n"
                               "FROM \"$FULL\"\n"
                               "FROM ${BASE#d}\n"
                               "FROM $NOTHING\n"
                               "FROM x-$TARGETARCH\n"
                               "FROM y-${BUILDARCH}\n"
                               "ARG BASE=late\n"
                               "FROM $BASE\n";
    auto_parsed struct parsed p = parse(text);
    assert_use(&p, 0, "$BASE", "debian", -1);
    assert_string_equal(p.df.uses[1].ref, "debian:bookworm-slim");
    assert_string_equal(p.df.uses[2].ref, "debian-x");
    assert_use(&p, 3, "\"$FULL\"", "debian:12", -1);
    assert_use(&p, 4, "${BASE#d}", NULL, -1);
    assert_use(&p, 5, "$NOTHING", NULL, -1);
    assert_use(&p, 6, "x-$TARGETARCH", NULL, -1);
    assert_use(&p, 7, "y-${BUILDARCH}", NULL, -1);
    assert_use(&p, 8, "$BASE", "debian", -1);

    auto_(arena_freep) struct arena *a = arena_new();
    const struct dockerfile_args args = { map(a, "BASE", "file"), map(a, "BASE", "cli"),
                                          "linux/arm64/v8" };
    auto_parsed struct parsed given = parse_with(text, &args);
    assert_string_equal(given.df.uses[0].ref, "cli");
    assert_string_equal(given.df.uses[6].ref, "x-arm64");

    const struct dockerfile_args undeclared = { map(a, "NOTHING", "x"), NULL, NULL };
    auto_parsed struct parsed ignored = parse_with(text, &undeclared);
    assert_null(ignored.df.uses[5].ref);
}

static void onbuild(void **state)
{
    (void)state;
    auto_parsed struct parsed p = parse("FROM a AS tools\n"
                                        "FROM b\n"
                                        "ONBUILD COPY --from=tools /x /x\n"
                                        "ONBUILD RUN --mount=from=more,target=/m x\n");
    assert_int_equal(p.df.nuses, 4);
    assert_false(p.df.uses[1].onbuild);
    assert_true(p.df.uses[2].onbuild);
    assert_use(&p, 2, "tools", "tools", -1);
    assert_true(p.df.uses[3].onbuild);
    assert_use(&p, 3, "more", "more", -1);
}

static void mounts_that_need_a_session(void **state)
{
    (void)state;
    auto_parsed struct parsed no = parse("FROM a\nRUN --mount=type=cache,target=/c x\n");
    assert_false(no.df.session_mounts);
    auto_parsed struct parsed yes = parse("FROM a\nRUN --mount=target=/s,type=secret,id=x y\n");
    assert_true(yes.df.session_mounts);
    auto_parsed struct parsed ssh = parse("FROM a\nRUN --mount=type=ssh y\n");
    assert_true(ssh.df.session_mounts);
}

static void targets_and_what_they_need(void **state)
{
    (void)state;
    auto_parsed struct parsed p = parse("FROM a AS one\n"
                                        "FROM b AS two\n"
                                        "FROM one AS three\n"
                                        "FROM c\n"
                                        "COPY --from=three / /\n");
    assert_int_equal(dockerfile_target(&p.df, NULL), 3);
    assert_int_equal(dockerfile_target(&p.df, "TWO"), 1);
    assert_int_equal(dockerfile_target(&p.df, "2"), 2);
    assert_int_equal(dockerfile_target(&p.df, "none"), -1);
    auto_free bool *needed = dockerfile_needed(&p.df, 3);
    assert_true(needed[0] && !needed[1] && needed[2] && needed[3]);
    auto_free bool *nothing = dockerfile_needed(&p.df, -1);
    assert_false(nothing[0] || nothing[3]);
}

static void rewriting_keeps_everything_else(void **state)
{
    (void)state;
    auto_parsed struct parsed p = parse("ARG B=base # x\n"
                                        "FROM ${B} AS a # keep\n"
                                        "# FROM base\n"
                                        "COPY --from=base \\\n"
                                        "  /x /y\n"
                                        "RUN --mount=type=bind,from=base,target=/t true");
    const char *texts[] = { "demo-base:1", NULL, "other@sha256:0" };
    assert_int_equal(p.df.nuses, 3);
    size_t len;
    auto_free char *text = dockerfile_rewrite(&len, &p.df, texts);
    assert_string_equal(text, "ARG B=base # x\n"
                              "FROM demo-base:1 AS a # keep\n"
                              "# FROM base\n"
                              "COPY --from=base \\\n"
                              "  /x /y\n"
                              "RUN --mount=type=bind,from=other@sha256:0,target=/t true");
    assert_int_equal(len, strlen(text));
}

static void nothing_at_all(void **state)
{
    (void)state;
    auto_parsed struct parsed p = parse("");
    assert_int_equal(p.df.nstages, 0);
    assert_int_equal(dockerfile_target(&p.df, NULL), -1);
    auto_parsed struct parsed odd =
        parse("FROM\nCOPY --from= a b\nONBUILD\nRUN --mount=from=\n\\\n");
    assert_int_equal(odd.df.nstages, 1);
    assert_int_equal(odd.df.nuses, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_and_stages),
        cmocka_unit_test(a_stage_cannot_name_itself_or_a_later_one),
        cmocka_unit_test(continued_lines_and_comments),
        cmocka_unit_test(directives),
        cmocka_unit_test(here_documents),
        cmocka_unit_test(variables_in_from),
        cmocka_unit_test(onbuild),
        cmocka_unit_test(mounts_that_need_a_session),
        cmocka_unit_test(targets_and_what_they_need),
        cmocka_unit_test(rewriting_keeps_everything_else),
        cmocka_unit_test(nothing_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
