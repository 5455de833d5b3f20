/* What an engine's sample says, by the formulas of the docker CLI. */
#include "unit.h"

#include "base/json.h"
#include "live/stats.h"

static void read_text(struct stat_sample *out, struct stat_times *before, const char *text)
{
    auto_json json_t *answer = json_parse(text, strlen(text), "a sample", NULL);
    assert_non_null(answer);
    stat_sample_read(out, before, answer);
}

static void assert_near(double got, double wanted)
{
    if (got < wanted - 0.001 || got > wanted + 0.001)
        fail_msg("%f, not %f", got, wanted);
}

static void cgroup_1(void **state)
{
    struct stat_sample s;
    (void)state;
    read_text(&s, NULL,
              "{\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":3000,\"percpu_usage\":[1,2]},"
              "\"system_cpu_usage\":20000,\"online_cpus\":4},"
              "\"precpu_stats\":{\"cpu_usage\":{\"total_usage\":1000},\"system_cpu_usage\":10000},"
              "\"memory_stats\":{\"usage\":1000,\"limit\":4000,"
              "\"stats\":{\"total_inactive_file\":200,\"inactive_file\":700}},"
              "\"pids_stats\":{\"current\":3},"
              "\"networks\":{\"eth0\":{\"rx_bytes\":1,\"tx_bytes\":2},"
              "\"eth1\":{\"rx_bytes\":10,\"tx_bytes\":20}},"
              "\"blkio_stats\":{\"io_service_bytes_recursive\":["
              "{\"op\":\"Read\",\"value\":5},{\"op\":\"Write\",\"value\":6},"
              "{\"op\":\"Total\",\"value\":11},{\"op\":\"read\",\"value\":50}]}}");
    assert_true(s.runs && s.has_cpu);
    assert_near(s.cpu, 2000.0 / 10000 * 4 * 100);
    assert_int_equal(s.memory, 800);
    assert_near(s.memory_percent, 20);
    assert_int_equal(s.pids, 3);
    assert_int_equal(s.received, 11);
    assert_int_equal(s.sent, 22);
    assert_int_equal(s.read, 55);
    assert_int_equal(s.written, 6);
}

static void cgroup_2_without_a_count_of_processors(void **state)
{
    struct stat_sample s;
    (void)state;
    read_text(&s, NULL,
              "{\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":300,\"percpu_usage\":[1,2]},"
              "\"system_cpu_usage\":2000},"
              "\"precpu_stats\":{\"cpu_usage\":{\"total_usage\":200},\"system_cpu_usage\":1000},"
              "\"memory_stats\":{\"usage\":1000,\"stats\":{\"inactive_file\":300}}}");
    assert_near(s.cpu, 0.1 * 2 * 100);
    assert_int_equal(s.memory, 700);
    assert_near(s.memory_percent, 0); /* no limit is known */
    read_text(&s, NULL, "{\"memory_stats\":{\"usage\":1000,\"stats\":{\"inactive_file\":3000}}}");
    assert_int_equal(s.memory, 1000);
}

/* The first sample of a stream has nothing before it. */
static void a_stream_needs_two_samples_for_cpu(void **state)
{
    struct stat_sample s;
    struct stat_times before = { 0 };
    (void)state;
    read_text(&s, &before,
              "{\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":100},\"system_cpu_usage\":1000,"
              "\"online_cpus\":1},\"precpu_stats\":{\"cpu_usage\":{\"total_usage\":0}}}");
    assert_true(s.runs);
    assert_false(s.has_cpu);
    read_text(&s, &before,
              "{\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":150},\"system_cpu_usage\":1100,"
              "\"online_cpus\":1}}");
    assert_true(s.has_cpu);
    assert_near(s.cpu, 50);
}

/* As Engine 20.10 answers for one that has ended. */
static void a_container_that_does_not_run(void **state)
{
    struct stat_sample s;
    (void)state;
    read_text(&s, NULL,
              "{\"read\":\"0001-01-01T00:00:00Z\",\"pids_stats\":{},\"blkio_stats\":"
              "{\"io_service_bytes_recursive\":null},\"cpu_stats\":{\"cpu_usage\":"
              "{\"total_usage\":0}},\"precpu_stats\":{},\"memory_stats\":{}}");
    assert_false(s.runs);
    assert_int_equal(s.memory, 0);
    read_text(&s, NULL, "{\"cpu_stats\":[],\"networks\":7,\"memory_stats\":\"x\"}");
    assert_false(s.runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cgroup_1),
        cmocka_unit_test(cgroup_2_without_a_count_of_processors),
        cmocka_unit_test(a_stream_needs_two_samples_for_cpu),
        cmocka_unit_test(a_container_that_does_not_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
