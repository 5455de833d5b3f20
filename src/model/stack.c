/* The finished model: release and lookups. */
#include <stdlib.h>
#include <string.h>

#include "model/model.h"

#include "base/mem.h"
#include "base/num.h"

void stack_free(struct stack *s)
{
    if (s)
        arena_free(s->arena);
}

/* Services are sorted by name. */
const struct service *stack_service(const struct stack *s, const char *name)
{
    size_t low = 0, high = s->nservices;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(s->services[mid].name, name);
        if (c == 0)
            return &s->services[mid];
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

const struct network *stack_network(const struct stack *s, const char *key)
{
    for (size_t i = 0; i < s->nnetworks; i++)
        if (!strcmp(s->networks[i].key, key))
            return &s->networks[i];
    return NULL;
}

const struct volume *stack_volume(const struct stack *s, const char *key)
{
    for (size_t i = 0; i < s->nvolumes; i++)
        if (!strcmp(s->volumes[i].key, key))
            return &s->volumes[i];
    return NULL;
}

char *service_container_name(const struct stack *st, const struct service *s, int number)
{
    if (s->container_name)
        return xstrdup(s->container_name);
    char sep = st->separator ? st->separator : '-';
    return xasprintf("%s%c%s%c%d", st->name, sep, s->name, sep, number);
}

char *service_link_name(const struct stack *st, const struct service *s, int number, char separator,
                        bool whole)
{
    if (whole)
        return xasprintf("%s%c%s%c%d", st->name, separator, s->name, separator, number);
    return xasprintf("%s%c%d", s->name, separator, number);
}

bool port_numbers(int *first, int *last, const char *published)
{
    auto_free char *text = xstrdup(published);
    char *dash = strchr(text, '-');
    int64_t a, b;
    if (dash)
        *dash++ = '\0';
    if (num_range(&a, text, 1, 65535) < 0)
        return false;
    b = a;
    if (dash && num_range(&b, dash, a, 65535) < 0)
        return false;
    *first = (int)a;
    *last = (int)b;
    return true;
}
