/* The functions of libcurl that this room calls, opened at the first use. Private to net. */
#ifndef NET_CURL_H
#define NET_CURL_H

/* Its type checks are macros over the function names, which a table of pointers cannot have. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "base/error.h"
#include "base/library.h"

#define CURL_FUNCTIONS(X)       \
    X(curl_global_init)         \
    X(curl_easy_init)           \
    X(curl_easy_cleanup)        \
    X(curl_easy_setopt)         \
    X(curl_easy_getinfo)        \
    X(curl_easy_send)           \
    X(curl_easy_recv)           \
    X(curl_easy_strerror)       \
    X(curl_multi_init)          \
    X(curl_multi_cleanup)       \
    X(curl_multi_setopt)        \
    X(curl_multi_add_handle)    \
    X(curl_multi_remove_handle) \
    X(curl_multi_socket_action) \
    X(curl_multi_info_read)     \
    X(curl_multi_assign)

struct curl_api {
    CURL_FUNCTIONS(LIBRARY_MEMBER)
};

/* The table, valid until the process ends; NULL with *err set where there is no libcurl. */
const struct curl_api *curl_api(struct error *err);

#endif
