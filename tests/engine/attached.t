#!/usr/bin/env python3
"""`stack up` without -d, on a terminal of its own: output, Ctrl-C, its end by itself."""
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.environ["TOP"], "tests", "support"))
from terminal import FILE, WORK, Terminal, eventually, ok, quietly, run_tests, write


def services(**commands):
    """A stack file: a service for each command, none of which needs a network."""
    text = "services:\n"
    for service, command in commands.items():
        text += (
            f"  {service}:\n    image: busybox\n    network_mode: none\n    init: true\n"
            f"    command: ['sh', '-c', '{command}']\n"
        )
    write(text)


def ctrl_c():
    trap = "trap \"echo web stops; exit 0\" TERM; echo web runs; while :; do sleep 0.1; done"
    services(web=trap, db="echo db runs; exec tail -f /dev/null")
    with open(FILE, "a") as f:
        f.write("    pre_stop: [{command: echo the hook of db}]\n")
    t = Terminal("up")
    both = t.shows("web runs") and t.shows("db runs")
    ok("the output of both comes", both, t.seen)
    os.write(t.master, b"\x03")
    code = t.end()
    plain = t.plain()
    ok("with the name of the container before it", re.search(r"web-1 +\| web runs", plain), plain)
    ok("Ctrl-C stops gracefully, and says so", "Gracefully stopping" in plain, plain)
    ok("the container was asked to stop, and its last line came", "| web stops" in plain, plain)
    ok("a hook's output stands among the others'", re.search(r"db-1 ->  +\| the hook of db", plain), plain)
    ok("it ends with 130", code == 130, f"{code}\n{plain}")
    ok("the terminal is as it was", t.restored(), t.seen)
    left = quietly("ps", "-a", "--format", "{{.State}}").stdout.split()
    ok("the containers are stopped, not removed", left == ["exited", "exited"], left)


def other_signals():
    quietly("down", "-t", "0")
    services(db="exec tail -f /dev/null", web="trap \"exit 0\" TERM; echo web runs; while :; do sleep 0.1; done")
    with open(FILE, "a") as f:
        f.write("    depends_on: [db]\n")
    for name, signum in (("SIGTERM", signal.SIGTERM), ("SIGHUP", signal.SIGHUP)):
        t = Terminal("up", "web")
        t.shows("web runs")
        t.kill(signal.SIGTSTP)
        ok(f"{name}: SIGTSTP stops `stack up`", eventually(lambda: t.state() == "T"), t.state())
        ok(f"{name}: with the terminal as it was", t.restored(), t.seen)
        t.kill(signal.SIGCONT)
        t.kill(signum)
        code = t.end()
        ok(f"{name}: it stops the containers and ends with {128 + signum}", code == 128 + signum, f"{code}\n{t.seen}")
        ok(f"{name}: the terminal is as it was", t.restored(), t.seen)
        left = quietly("ps", "-a", "--format", "{{.State}}").stdout.split()
        ok(f"{name}: what was named is stopped, what it needs runs on", left == ["running", "exited"], left)


def terminal_that_is_gone():
    quietly("down", "-t", "0")
    services(web="trap \"exit 0\" TERM; echo web runs; while :; do sleep 0.1; done")
    t = Terminal("up")
    t.shows("web runs")
    t.close()
    stopped = eventually(lambda: quietly("ps", "-a", "--format", "{{.State}}").stdout.split() == ["exited"])
    ok("a terminal that is closed stops the containers", stopped)


def keys():
    """The last line of the screen names them."""
    quietly("down", "-t", "0")
    services(web="trap \"exit 0\" TERM; echo web runs; while :; do sleep 0.1; done")
    t = Terminal("up")
    ok("keys are named", t.until("web runs") and t.until("d detach") and t.until("w watch"), t.seen)
    ok("and read as they are pressed", t.raw())
    t.type("w")
    ok("w: nothing is to be watched", t.until("none of the services says what to watch"), t.seen)
    ok("the keys are named again below that", t.until("d detach"), t.seen)
    t.kill(signal.SIGTSTP)
    ok("SIGTSTP stops it", eventually(lambda: t.state() == "T"), t.state())
    ok("with the terminal as it was", t.restored(), t.seen)
    t.seen = ""
    t.kill(signal.SIGCONT)
    ok("SIGCONT: keys are named, and read", t.until("d detach") and eventually(t.raw), t.seen)
    t.type("d")
    code = t.end()
    ok("d: it ends with 0", code == 0, f"{code}\n{t.seen}")
    ok("and says how to come back", "'stack logs -f' shows its output, 'stack up' comes back" in t.plain(), t.plain())
    ok("the terminal is as it was", t.restored(), t.seen)
    ok("everything runs on", quietly("ps", "--format", "{{.State}}").stdout.split() == ["running"])

    src = os.path.join(WORK, "src")
    os.mkdir(src)
    with open(FILE, "a") as f:
        f.write("    develop: {watch: [{path: src, target: /src, action: sync}]}\n")
    t = Terminal("up", env={"STACK_MENU": "true", "COMPOSE_MENU": "false"})
    t.until("w watch files")
    t.type("w")
    ok("w: files are watched", t.until("watching web") and t.until("w end watching"), t.seen)
    with open(os.path.join(src, "file"), "w") as f:
        f.write("new")
    ok("and brought into the container", t.until("synced") and t.until("w end watching"), t.seen)
    t.type("w")
    ok("w: they no longer are", t.until("no longer watched") and t.until("w watch files"), t.seen)
    t.type("\x03")
    code = t.end()
    ok("Ctrl-C is what it always is", (code, t.restored()) == (130, True), f"{code}\n{t.seen}")
    for args, env in ((("up", "--menu=false"), {}), (("up",), {"COMPOSE_MENU": "0"})):
        t = Terminal(*args, env=env)
        t.until("web runs")
        t.type("d\n\x03")
        code = t.end()
        ok(f"{args} {env}: no keys", (code, "d detach" in t.seen) == (130, False), f"{code}\n{t.seen}")


def end_by_itself():
    quietly("down", "-t", "0")
    services(one="echo first line", two="echo second line")
    t = Terminal("up")
    code = t.end()
    ok("it ends when all containers have", code == 0, f"{code}\n{t.seen}")
    ok("with all their output", "first line" in t.seen and "second line" in t.seen, t.seen)
    ok("and leaves the terminal as it was", t.restored(), t.seen)


def exit_code_from():
    quietly("down", "-t", "0")
    services(tests="echo tested; echo moaned >&2; exit 7", server="exec tail -f /dev/null")
    result = quietly("up", "--exit-code-from", "tests", "-t", "1")
    ok("--exit-code-from: the code of that service", result.returncode == 7, result)
    ok("its output, on standard output", "tests-1   | tested\ntests-1 exited with code 7\n" in result.stdout, result)
    ok("its errors, on standard error", "tests-1   | moaned\n" in result.stderr, result)
    left = quietly("ps", "-q").stdout
    ok("the others were stopped", left == "", left)


run_tests(ctrl_c, other_signals, terminal_that_is_gone, keys, end_by_itself, exit_code_from)
