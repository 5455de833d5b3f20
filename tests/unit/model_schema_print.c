/* The schema for editors and the page of all keys, both printed from the table. */
#include "model_schema.h"

#include "base/json.h"

static void test_json_is_a_schema(void **state)
{
    (void)state;
    auto_str struct str out = STR_INIT;
    schema_print_json(&out);
    auto_json json_t *schema = json_parse(out.buf, out.len, "schema", NULL);
    assert_non_null(schema);
    assert_string_equal(json_str(schema, "$schema"), "http://json-schema.org/draft-07/schema#");

    json_t *service = json_at(schema, "definitions.service");
    assert_int_equal(json_object_size(json_at(service, "properties")), schema_service.len);
    assert_false(json_is_true(json_at(service, "additionalProperties")));
    assert_non_null(json_at(schema, "definitions.stack.properties.projects"));
    assert_non_null(json_at(schema, "definitions.manifest.properties.requires"));
    assert_string_equal(json_str(service, "properties.image.type"), "string");
}

/* Each reference of the schema leads somewhere. */
static void check_references(const json_t *schema, json_t *at)
{
    const char *key;
    size_t i;
    json_t *v;

    json_object_foreach (at, key, v) {
        if (strcmp(key, "$ref") == 0 && json_is_string(v)) {
            const char *name = strrchr(json_string_value(v), '/') + 1;
            assert_non_null(json_object_get(json_object_get(schema, "definitions"), name));
        }
        check_references(schema, v);
    }
    json_array_foreach (at, i, v) {
        check_references(schema, v);
    }
}

static void test_references_lead_somewhere(void **state)
{
    (void)state;
    auto_str struct str out = STR_INIT;
    schema_print_json(&out);
    auto_json json_t *schema = json_parse(out.buf, out.len, "schema", NULL);
    check_references(schema, schema);
}

static void test_reference_has_every_key(void **state)
{
    (void)state;
    auto_str struct str out = STR_INIT;
    schema_print_reference(&out);
    assert_true(str_starts(out.buf, "# Every key of a stack file\n"));
    for (size_t i = 0; i < schema_service.len; i++) {
        auto_str struct str row = STR_INIT;
        str_addf(&row, "\n| `%s`", schema_service.items[i].name);
        if (!strstr(out.buf, row.buf))
            fail_msg("%s is not on the page", schema_service.items[i].name);
    }
    assert_non_null(strstr(out.buf, "\n## services.NAME.build\n"));
    assert_non_null(strstr(out.buf, "\n## services.NAME.deploy.resources.limits\n"));
    assert_non_null(strstr(out.buf, "| error: language models need"));
    assert_non_null(strstr(out.buf, "| no effect: only a cluster"));
    /* Every row of a table has its five cells. */
    for (char *rest = out.buf, *line; (line = strsep(&rest, "\n"));) {
        size_t bars = 0;
        for (const char *p = line; *p; p++)
            bars += *p == '|';
        assert_true(bars == 0 || bars == 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_is_a_schema),
        cmocka_unit_test(test_references_lead_somewhere),
        cmocka_unit_test(test_reference_has_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
