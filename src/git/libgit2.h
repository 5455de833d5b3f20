/* The functions of libgit2 that this room calls, opened at the first use. Private to git. */
#ifndef GIT_LIBGIT2_H
#define GIT_LIBGIT2_H

#include <git2.h>
#include <git2/sys/repository.h>
#include <git2/sys/transport.h>

#include "base/error.h"
#include "base/library.h"

/* clang-format off */
#define LIBGIT2_FUNCTIONS(X) \
    X(git_libgit2_init) X(git_libgit2_opts) X(git_error_last) X(git_error_clear) \
    X(git_error_set_str) X(git_strarray_dispose) X(git_buf_dispose) X(git_repository_open_ext) \
    X(git_repository_init_ext) X(git_repository_free) X(git_repository_head) \
    X(git_repository_head_detached) X(git_repository_workdir) X(git_repository_path) \
    X(git_repository_config) X(git_repository_index) X(git_repository_odb) \
    X(git_repository_set_head) X(git_repository_set_head_detached) X(git_reference_lookup) \
    X(git_reference_name_to_id) X(git_reference_shorthand) X(git_reference_symbolic_target) \
    X(git_reference_peel) X(git_reference_free) X(git_reference_list) \
    X(git_reference_name_is_valid) X(git_branch_create) X(git_branch_set_upstream) \
    X(git_object_lookup_prefix) X(git_object_peel) X(git_object_id) X(git_object_free) \
    X(git_oid_fromstr) X(git_oid_fromstrn) X(git_oid_tostr) X(git_commit_lookup) \
    X(git_commit_tree) X(git_commit_free) X(git_tree_entrycount) X(git_tree_entry_byindex) \
    X(git_tree_entry_bypath) X(git_tree_entry_name) X(git_tree_entry_id) \
    X(git_tree_entry_filemode_raw) X(git_tree_entry_type) X(git_tree_entry_free) \
    X(git_tree_lookup) X(git_tree_free) X(git_blob_lookup) X(git_blob_rawcontent) \
    X(git_blob_rawsize) X(git_blob_free) X(git_odb_read_header) X(git_odb_free) \
    X(git_graph_ahead_behind) X(git_status_list_new) X(git_status_list_entrycount) \
    X(git_status_list_free) X(git_config_set_string) X(git_config_set_bool) X(git_config_free) \
    X(git_config_get_string_buf) X(git_remote_create) X(git_remote_create_anonymous) \
    X(git_fetch_options_init) X(git_remote_connect_options_init) X(git_remote_set_instance_url) \
    X(git_checkout_options_init) X(git_repository_init_options_init) X(git_remote_fetch) \
    X(git_remote_connect_ext) X(git_remote_download) X(git_remote_update_tips) \
    X(git_remote_prune) X(git_remote_default_branch) X(git_remote_free) X(git_checkout_tree) \
    X(git_index_free) X(git_index_get_bypath) X(git_submodule_foreach) X(git_submodule_path) \
    X(git_submodule_url) X(git_submodule_head_id) X(git_submodule_resolve_url) \
    X(git_credential_userpass_plaintext_new) X(git_transport_register) X(git_transport_smart)
/* clang-format on */

struct libgit2 {
    LIBGIT2_FUNCTIONS(LIBRARY_MEMBER)
};

/* The table, valid until the process ends; NULL with *err set where there is no libgit2. Safe from
 * several threads once one of them has had it. */
const struct libgit2 *libgit2(struct error *err);

/* What libgit2 said about its last failure `rc`, after what was tried. Kinds: ERR_NOTFOUND,
 * ERR_NETWORK, ERR_CONFLICT, ERR_CANCELED, ERR_SYSTEM. Returns -1. */
int libgit2_failed(struct error *err, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
