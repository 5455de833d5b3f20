/* The functions of libmicrohttpd that this room calls, opened at the first use. For http.c alone.
 */
#ifndef SERVER_MICROHTTPD_H
#define SERVER_MICROHTTPD_H

#include <microhttpd.h>

#include "base/error.h"
#include "base/library.h"

#define MICROHTTPD_FUNCTIONS(X)        \
    X(MHD_is_feature_supported)        \
    X(MHD_start_daemon)                \
    X(MHD_stop_daemon)                 \
    X(MHD_quiesce_daemon)              \
    X(MHD_run)                         \
    X(MHD_get_timeout)                 \
    X(MHD_get_daemon_info)             \
    X(MHD_get_connection_info)         \
    X(MHD_get_connection_values)       \
    X(MHD_create_response_from_buffer) \
    X(MHD_add_response_header)         \
    X(MHD_queue_response)              \
    X(MHD_destroy_response)

struct microhttpd_api {
    MICROHTTPD_FUNCTIONS(LIBRARY_MEMBER)
};

/* The table, valid until the process ends; NULL with *err set where there is no libmicrohttpd. */
const struct microhttpd_api *microhttpd_api(struct error *err);

#endif
