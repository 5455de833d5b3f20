/* The situations that commands are disturbed in: sweep.h. */
#include "base/cleanup.h"
#include "sweep.h"

#define API_41                   \
    {                            \
        .api = 41, .api_min = 12 \
    }
#define API_51                   \
    {                            \
        .api = 51, .api_min = 24 \
    }

/* Two services, a volume with a name and one without, a port. */
#define PAIR(one, two)                          \
    "name: t\n"                                 \
    "services:\n"                               \
    "  alpha:\n"                                \
    "    image: base\n"                         \
    "    environment: {VALUE: '" one "'}\n"     \
    "    volumes: ['data:/data', /anonymous]\n" \
    "  beta:\n"                                 \
    "    image: base\n"                         \
    "    environment: {VALUE: '" two "'}\n"     \
    "    depends_on: [alpha]\n"                 \
    "    volumes: [/anonymous]\n"               \
    "    ports: ['127.0.0.1:0:80']\n"           \
    "volumes: {data: {}}\n"

#define SCALED(n) "name: t\nservices: {alpha: {image: base, scale: " n ", volumes: [/anonymous]}}\n"

#define LINKED(value)                                             \
    "name: t\n"                                                   \
    "services:\n"                                                 \
    "  alpha: {image: base, environment: {VALUE: '" value "'}}\n" \
    "  beta:\n"                                                   \
    "    image: base\n"                                           \
    "    environment: {VALUE: '" value "'}\n"                     \
    "    links: ['alpha:first']\n"

#define HEALTH(value)                                         \
    "name: t\n"                                               \
    "services:\n"                                             \
    "  alpha:\n"                                              \
    "    image: base\n"                                       \
    "    environment: {VALUE: '" value "'}\n"                 \
    "    healthcheck: {test: 'exit 0', interval: 30s}\n"      \
    "  beta:\n"                                               \
    "    image: base\n"                                       \
    "    depends_on: {alpha: {condition: service_healthy}}\n" \
    "    x-ready: {exec: ['exit 0'], timeout: 5s}\n"          \
    "  gamma:\n"                                              \
    "    image: base\n"                                       \
    "    command: ['exit 0']\n"                               \
    "  delta:\n"                                              \
    "    image: base\n"                                       \
    "    depends_on: {gamma: {condition: service_completed_successfully}}\n"

#define FILES(value)                                     \
    "name: t\n"                                          \
    "services:\n"                                        \
    "  alpha:\n"                                         \
    "    image: base\n"                                  \
    "    configs: [{source: text, target: /etc/text}]\n" \
    "    secrets: [{source: word, mode: 0400}]\n"        \
    "configs: {text: {content: '" value "'}}\n"          \
    "secrets: {word: {environment: HOME}}\n"

#define NETWORKS                                             \
    "name: t\n"                                              \
    "services:\n"                                            \
    "  alpha: {image: base, networks: [one, two, three]}\n"  \
    "  beta: {image: base, network_mode: 'service:alpha'}\n" \
    "networks: {one: {}, two: {}, three: {}}\n"

static const char built[] =
    "name: t\n"
    "services:\n"
    "  alpha:\n"
    "    build: {context: ., dockerfile_inline: \"FROM base\\nRUN true\\n\"}\n"
    "  beta: {image: base}\n";

const struct scenario scenarios[] = {
    { "fresh", NULL, PAIR("1", "1"), "up -d", NULL, API_41, false },
    { "fresh, API 1.51", NULL, PAIR("1", "1"), "up -d", NULL, API_51, false },
    { "nothing to do", PAIR("1", "1"), PAIR("1", "1"), "up -d", NULL, API_41, false },
    { "two changed", PAIR("1", "1"), PAIR("2", "2"), "up -d", NULL, API_41, false },
    { "two changed, podman",
      LINKED("1"),
      LINKED("2"),
      "up -d",
      NULL,
      { .api = 41, .api_min = 24, .podman = true },
      false },
    { "more replicas", SCALED("1"), SCALED("3"), "up -d", NULL, API_41, false },
    { "fewer replicas", SCALED("3"), SCALED("1"), "up -d", NULL, API_41, false },
    { "another image", PAIR("1", "1"), PAIR("1", "1"), "up -d", NULL, API_41, true },
    { "waits", NULL, HEALTH("1"), "up -d --wait", NULL, API_41, false },
    { "waits, one changed", HEALTH("1"), HEALTH("2"), "up -d --wait", NULL, API_51, false },
    { "files", NULL, FILES("1"), "up -d", NULL, API_41, false },
    { "files changed", FILES("1"), FILES("2"), "up -d", NULL, API_51, false },
    { "several networks", NULL, NETWORKS, "up -d", NULL, API_41, false },
    { "a service gone", PAIR("1", "1"), SCALED("1"), "up -d --remove-orphans", NULL, API_41,
      false },
    { "pull", NULL, "name: t\nservices: {alpha: {image: 'far:1'}, beta: {image: base}}\n", "up -d",
      NULL, API_41, false },
    { "build", NULL, built, "up -d", NULL, API_41, false },
    { "build, API 1.51", NULL, built, "up -d", NULL, API_51, false },
    { "down", PAIR("1", "1"), PAIR("1", "1"), "down", NULL, API_41, false },
    { "down with volumes", PAIR("1", "1"), PAIR("1", "1"), "down -v", NULL, API_41, false },
    { "stop", PAIR("1", "1"), PAIR("1", "1"), "stop", NULL, API_41, false },
};
const size_t scenarios_len = countof(scenarios);
