/* Files of the queue, orders and ends of commands, what `git ls-remote` prints: any bytes give a
 * value or an error, and a job that was read is written as one that reads the same. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "server/job.h"
#include "server/poll.h"
#include "server/supervise.h"

static void job(const char *text, size_t len)
{
    struct job first, second;
    if (job_from_json(&first, text, len, NULL) < 0)
        return;
    auto_json json_t *j = job_to_json(&first);
    auto_free char *once = json_canonical(j);
    fuzz_check(job_from_json(&second, once, strlen(once), NULL) == 0);
    auto_json json_t *again = job_to_json(&second);
    auto_free char *twice = json_canonical(again);
    fuzz_check(strcmp(once, twice) == 0);
    job_clear(&first);
    job_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = fuzz_text(data, size);
    size_t len = strlen(text);
    struct supervise_order order;
    struct supervise_end end;
    job(text, len);
    if (supervise_order_read(&order, text, NULL) == 0) {
        fuzz_check(order.argv.len > 0 && order.log && order.lock);
        supervise_order_clear(&order);
    }
    supervise_end_read(&end, text, len, NULL);
    auto_json json_t *refs = poll_read(text, len);
    fuzz_check(json_is_object(refs));
    return 0;
}
