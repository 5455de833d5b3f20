/*
 * The table as a JSON Schema (draft 7), for editors: completion, explanations while typing, and
 * mistakes underlined before anything runs. Parts that several keys share are definitions.
 */
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "model/schema_run.h"

/* What is printed once and referred to. */
static const struct {
    const struct schema_keys *keys;
    const char *name;
} shared[] = {
    { &schema_service, "service" },       { &schema_build, "build" },
    { &schema_deploy, "deploy" },         { &schema_hook, "hook" },
    { &schema_mount, "mount" },           { &schema_port, "port" },
    { &schema_file_use, "file_use" },     { &schema_secret_use, "secret_use" },
    { &schema_ulimit, "ulimit" },         { &schema_endpoint, "endpoint" },
    { &schema_network, "network" },       { &schema_volume, "volume" },
    { &schema_config, "config" },         { &schema_secret, "secret" },
    { &schema_external, "external" },     { &schema_throttle, "throttle" },
    { &schema_dependency, "dependency" },
};

static json_t *object_of(const struct schema_keys *keys);

static json_t *type(const char *name)
{
    return json_pack("{s:s}", "type", name);
}

static json_t *types(const char *one, const char *two)
{
    return two ? json_pack("{s:[s,s]}", "type", one, two) : type(one);
}

static json_t *list_of(json_t *items)
{
    return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

static json_t *map_of(json_t *values)
{
    return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", values);
}

static json_t *either(json_t *one, json_t *two)
{
    return json_pack("{s:[o,o]}", "anyOf", one, two);
}

static json_t *reference(const struct schema_keys *keys)
{
    for (size_t i = 0; i < countof(shared); i++)
        if (shared[i].keys == keys) {
            char ref[64];
            snprintf(ref, sizeof(ref), "#/definitions/%s", shared[i].name);
            return json_pack("{s:s}", "$ref", ref);
        }
    return object_of(keys);
}

static json_t *choice(const char *const *values)
{
    json_t *list = json_array();

    for (; *values; values++)
        json_array_append_new(list, json_string(*values));
    return json_pack("{s:o}", "enum", list);
}

static json_t *number_of(const struct schema_key *row, const char *name)
{
    json_t *value = types(name, row->flags & KEY_TYPED ? NULL : "string");

    if (row->min || row->max) {
        json_object_set_new(value, "minimum", json_integer(row->min));
        if (row->max != INT64_MAX)
            json_object_set_new(value, "maximum", json_integer(row->max));
    }
    return value;
}

static json_t *string_of(const struct schema_key *row)
{
    if (row->values)
        return choice(row->values);
    const char *other = row->flags & KEY_NUMBERS ? "integer" : row->expand ? "boolean" : NULL;
    return types("string", other);
}

static json_t *mapping(void)
{
    return either(map_of(json_pack("{s:[s,s,s,s]}", "type", "string", "number", "boolean", "null")),
                  list_of(type("string")));
}

/* An entry of a list or map of objects, in its long and short forms. */
static json_t *entry_of(const struct schema_key *row)
{
    json_t *entry = reference(row->keys);

    if (row->flags & KEY_ITEM_STRING)
        entry = either(types("string", row->flags & KEY_ITEM_INT ? "integer" : NULL), entry);
    if (row->flags & KEY_ITEM_NULL)
        entry = either(type("null"), entry);
    return entry;
}

static json_t *strings_of(const struct schema_key *row)
{
    json_t *list = list_of(types("string", row->flags & KEY_NUMBERS ? "number" : NULL));

    if (row->flags & KEY_DISTINCT)
        json_object_set_new(list, "uniqueItems", json_true());
    return list;
}

static json_t *names_of(const struct schema_key *row)
{
    json_t *map = map_of(entry_of(row));

    json_object_set_new(map, "propertyNames", json_pack("{s:s}", "pattern", "^[a-zA-Z0-9._-]+$"));
    return map;
}

static json_t *shape_of(const struct schema_key *row)
{
    bool typed = row->flags & KEY_TYPED;

    switch (row->shape) {
    case SHAPE_STRING:
        return string_of(row);
    case SHAPE_DURATION:
        return type("string");
    case SHAPE_BOOL:
        return row->keys ? either(types("boolean", "string"), reference(row->keys))
                         : types("boolean", typed ? NULL : "string");
    case SHAPE_INT:
        return number_of(row, "integer");
    case SHAPE_NUMBER:
        return number_of(row, "number");
    case SHAPE_BYTES:
        return types("string", typed ? NULL : "number");
    case SHAPE_MODE:
        return types("integer", "string");
    case SHAPE_SCALAR:
        return json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");
    case SHAPE_STRINGS:
        return strings_of(row);
    case SHAPE_STRING_OR_STRINGS:
    case SHAPE_COMMAND:
        return either(type("string"), strings_of(row));
    case SHAPE_MAPPING:
        return mapping();
    case SHAPE_OPTIONS:
        return map_of(types("string", row->flags & KEY_NUMBERS ? "number" : NULL));
    case SHAPE_HOSTS:
        return either(map_of(either(type("string"), list_of(type("string")))),
                      list_of(type("string")));
    case SHAPE_MAP:
        return names_of(row);
    case SHAPE_LIST:
        return list_of(entry_of(row));
    case SHAPE_OBJECT:
        return reference(row->keys);
    case SHAPE_ANY:
        break;
    }
    return type("object");
}

/* One key: its shape, what may stand for it, and what it is for. */
static json_t *value_of(const struct schema_key *row)
{
    json_t *value = shape_of(row);
    char text[512];

    if ((row->flags & KEY_OR_STRING) && row->values)
        value = either(choice(row->values), value);
    else if (row->flags & KEY_OR_STRING)
        value = either(type("string"), value);
    if (row->flags & KEY_OR_STRINGS)
        value = either(list_of(type("string")), value);
    if (row->flags & KEY_NULL)
        value = either(type("null"), value);
    /* Beside a $ref nothing else counts in draft 7. */
    if (json_object_get(value, "$ref"))
        value = json_pack("{s:[o]}", "allOf", value);
    snprintf(text, sizeof(text), "%s%s%s", row->doc, row->why ? " Not here: " : "",
             row->why ? row->why : "");
    json_object_set_new(value, "description", json_string(text));
    return value;
}

static json_t *object_of(const struct schema_keys *keys)
{
    json_t *properties = json_object(), *required = json_array();

    for (size_t i = 0; i < keys->len; i++) {
        const struct schema_key *row = &keys->items[i];
        json_object_set_new(properties, row->name, value_of(row));
        /* The native form has a condition of its own where none is given. */
        if ((row->flags & KEY_REQUIRED) && keys != &schema_dependency)
            json_array_append_new(required, json_string(row->name));
    }
    json_t *object = json_pack("{s:s, s:o, s:{s:{}}, s:b}", "type", "object", "properties",
                               properties, "patternProperties", "^x-", "additionalProperties", 0);
    if (json_array_size(required))
        json_object_set(object, "required", required);
    json_decref(required);
    return object;
}

static json_t *has_key(const char *key)
{
    return json_pack("{s:[s]}", "required", key);
}

/* { "anyOf": [ has one, has another ... ] } */
static json_t *has_key_of(const struct schema_keys *keys)
{
    json_t *any = json_array();

    for (size_t i = 0; i < keys->len; i++)
        json_array_append_new(any, has_key(keys->items[i].name));
    return json_pack("{s:o}", "anyOf", any);
}

void schema_print_json(struct str *out)
{
    auto_json json_t *definitions = json_object();

    for (size_t i = 0; i < countof(shared); i++)
        json_object_set_new(definitions, shared[i].name, object_of(shared[i].keys));
    json_object_set_new(definitions, "stack", object_of(&schema_top));
    json_object_set_new(definitions, "manifest", object_of(&schema_manifest));
    json_object_set_new(definitions, "fig", map_of(type("object")));

    /* The keys tell what a file is: a manifest, a stack, or services at the root as in 2014. */
    auto_json json_t *root =
        json_pack("{s:s, s:s, s:s, s:{s:[o,o]}, s:{s:s}, s:{s:o, s:{s:s}, s:{s:s}}, s:O}",
                  "$schema", "http://json-schema.org/draft-07/schema#", "title", "stack",
                  "description", "A stack file: the Compose Specification and more.", "if", "anyOf",
                  has_key("images"), has_key("requires"), "then", "$ref", "#/definitions/manifest",
                  "else", "if", has_key_of(&schema_top), "then", "$ref", "#/definitions/stack",
                  "else", "$ref", "#/definitions/fig", "definitions", definitions);
    auto_free char *text = json_dumps(root, JSON_INDENT(2));
    str_add(out, text);
    str_addc(out, '\n');
}
