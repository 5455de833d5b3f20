#!/usr/bin/env python3
"""exec, attach and run on a terminal and without one: sizes, keys, signals, ends, exit codes."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.environ["TOP"], "tests", "support"))
from terminal import NAME, WORK, Terminal, Wire, equal, eventually, ok, quietly, run_tests, write

HERE = {"DOCKER_CONFIG": WORK}
SHELL = r"""
trap 'echo hangup' HUP
trap 'echo size $(stty size)' WINCH
stty -echo
while :; do read line && eval "$line"; done
"""
PLAIN = r"""
trap 'echo asked; exit 3' TERM
echo plain runs
while :; do sleep 0.05; done
"""


def config(text):
    with open(os.path.join(WORK, "config.json"), "w") as f:
        f.write(text)


def start():
    indent = lambda text: text.strip().replace("$", "$$").replace("\n", "\n        ")
    write(f"""
services:
  idle:
    image: busybox
    network_mode: none
    stop_signal: KILL
    command: tail -f /dev/null
  shell:
    image: busybox
    network_mode: none
    stop_signal: KILL
    tty: true
    stdin_open: true
    command:
      - sh
      - -c
      - |
        {indent(SHELL)}
  plain:
    image: busybox
    network_mode: none
    scale: 2
    command:
      - sh
      - -c
      - |
        {indent(PLAIN)}
""")
    config("{}")
    up = quietly("up", "-d")
    equal("the stack is up", (up.returncode, up.stderr)[up.returncode != 0], 0)


def exec_on_a_terminal():
    t = Terminal(
        "exec", "idle", "sh", "-c",
        "until stty size | grep -q .; do :; done; echo size $(stty size); trap 'echo size $(stty size)' WINCH; trap 'echo typed; exit 5' INT;"
        " while :; do sleep 0.05; done", env=HERE,
    )  # fmt: skip
    ok("the window's size is known at the start", t.until("size 24 80"), t.seen)
    ok("the terminal is raw while it lasts", t.raw())
    t.resize(40, 100)
    ok("a change of the window's size is passed on", t.until("size 40 100"), t.seen)
    t.kill(signal.SIGTSTP)
    ok("SIGTSTP stops it", eventually(lambda: t.state() == "T"), t.state())
    ok("with the terminal as it was", t.restored())
    t.resize(30, 90)
    t.kill(signal.SIGCONT)
    ok("SIGCONT: the size is told anew", t.until("size 30 90"), t.seen)
    ok("and the terminal is raw again", eventually(t.raw))
    t.type("\x03")
    ok("ctrl-c is typed into the container", t.until("typed"), t.seen)
    equal("the exit code is the command's", t.end(), 5)
    ok("the terminal is as it was", t.restored(), t.seen)


def ends_of_exec():
    loop = ("exec", "idle", "sh", "-c", "echo runs; exec sleep 1000")
    for name, signum in (("SIGTERM", signal.SIGTERM), ("SIGHUP", signal.SIGHUP)):
        t = Terminal(*loop, env=HERE)
        ok(f"{name}: it runs", t.until("runs") and t.raw(), t.seen)
        t.kill(signum)
        equal(f"{name} ends it", t.end(), 128 + signum)
        ok(f"{name}: the terminal is as it was", t.restored(), t.seen)

    wire = Wire()
    t = Terminal("-H", wire.host, *loop, env=HERE)
    t.until("runs")
    wire.cut()
    equal("the engine dies: 4", t.end(), 4)
    ok("the engine dies: the terminal is as it was", t.restored(), t.seen)

    t = Terminal(*loop, env=HERE)
    t.until("runs")
    t.type("\x10x\x10\x11")
    equal("ctrl-p,ctrl-q leaves it", t.end(), 0)
    ok("and says so", "runs on" in t.seen and t.restored(), t.seen)
    config('{"detachKeys": "ctrl-],d"}')
    t = Terminal(*loop, env=HERE)
    t.until("runs")
    t.type("\x1dd")
    equal("the keys of docker's config.json", (t.end(), t.restored()), (0, True))
    t = Terminal("exec", "--detach-keys", "a,b", *loop[1:], env=HERE)
    t.until("runs")
    t.type("aab")
    equal("the keys of --detach-keys", (t.end(), t.restored()), (0, True))
    config("{}")
    wrong = quietly("exec", "--detach-keys", "a,nothing", "idle", "true")
    equal("keys that there are not are a mistake", wrong.returncode, 2)


def exec_without_a_terminal():
    later = quietly("exec", "-T", "idle", "sh", "-c", "cat; sleep 0.1; echo later", input="x\n")
    equal("its input ends, its output goes on", later.stdout, "x\nlater\n")
    both = quietly("exec", "idle", "sh", "-c", "echo out; echo error >&2")
    equal("output and errors apart", (both.stdout, both.stderr), ("out\n", "error\n"))
    text = "".join(f"{n} of many lines\n" for n in range(20000))
    equal("much input", quietly("exec", "-T", "idle", "cat", input=text).stdout, text)
    code = lambda command: quietly("exec", "-T", "idle", "sh", "-c", command).returncode
    equal("exit codes", [code("exit 0"), code("exit 1"), code("exit 255")], [0, 1, 255])
    equal("killed", code("kill -9 $$"), 137)
    none = quietly("exec", "-T", "idle", "there-is-none").returncode
    ok("no such command", none in (126, 127), none)


def attach_with_a_terminal():
    t = Terminal("attach", "shell", env=HERE)
    ok("attach: the window is painted anew", t.until("size 24 80"), t.seen)
    t.type("echo $((6 * 7))\n")
    ok("attach: what is typed is answered", t.until("42"), t.seen)
    t.resize(33, 99)
    ok("attach: a change of the size", t.until("size 33 99"), t.seen)
    t.type("\x10\x11")
    equal("attach: ctrl-p,ctrl-q", (t.end(), t.restored()), (0, True))
    t = Terminal("attach", "shell", env=HERE)
    ok("attach again: it ran on", t.until("size 24 80"), t.seen)
    t.type("exit 9\n")
    equal("attach: the end of the container, its code", (t.end(), t.restored()), (9, True))


def attach_without_a_terminal():
    t = Terminal("attach", "--sig-proxy=false", "plain", env=HERE)
    ok("not raw, as the container has no terminal", not t.raw())
    # There is nothing to wait for but the connection: the signal is not caught before nor after.
    t.kill(signal.SIGTERM)
    equal("--sig-proxy=false: SIGTERM ends attach", t.end(), -signal.SIGTERM)
    t = Terminal("attach", "plain", env=HERE)
    ok("attached", eventually(lambda: caught(t.pid, signal.SIGTERM)))
    t.kill(signal.SIGTERM)
    ok("SIGTERM is passed on", t.until("asked"), t.seen)
    equal("the code of the container", t.end(), 3)
    running = quietly("ps", "-q", "plain").stdout.split()
    equal("the other one runs", len(running), 1)


def caught(pid, signum):
    with open(f"/proc/{pid}/status") as f:
        mask = next(line.split()[1] for line in f if line.startswith("SigCgt"))
    return int(mask, 16) >> (signum - 1) & 1


def run_on_a_terminal():
    t = Terminal("run", "--rm", "idle", "sh", "-c", "until stty size | grep .; do :; done; read x; exit $x", env=HERE)
    ok("run: the window's size", t.until("24 80"), t.seen)
    t.type("7\n")
    equal("run: its exit code", (t.end(), t.restored()), (7, True))
    t = Terminal("run", "--rm", "--name", f"{NAME}-gone", "idle", "sh", "-c", "echo runs; exec sleep 1000", env=HERE)
    t.until("runs")
    t.kill(signal.SIGHUP)
    equal("run: SIGHUP ends it", (t.end(), t.restored()), (129, True))
    with open(f"{WORK}/variables", "w") as f:
        f.write("GIVEN=by the file\n")
    given = quietly("--env-file", f"{WORK}/variables", "run", "--rm", "-e", "GIVEN", "idle", "sh", "-c", "echo $GIVEN")
    equal("run -e NAME: the value of --env-file", given.stdout, "by the file\n")
    quietly("run", "-d", "idle", "cat")
    quietly("rm", "-s", "-f", "idle")
    equal("run -d: input stays open; exec reaches it where there is no other",
          quietly("exec", "-T", "idle", "sh", "-c", "exit 7").returncode, 7)
    gone = quietly("run", "--rm", "--name", f"{NAME}-gone", "idle", "there-is-none")
    equal("run --rm: the container is gone; no such command is 127", gone.returncode, 127)
    ok("and the engine's words are shown", "there-is-none" in gone.stderr, gone.stderr)
    t = Terminal("run", "--rm", "--name", f"{NAME}-left", "idle", "sh", "-c", "echo runs; sleep 2", env=HERE)
    t.until("runs")
    t.kill(signal.SIGKILL)
    t.end()
    left = lambda: f"{NAME}-left" in quietly("ps", "-a").stdout
    ok("run --rm: the container goes, too, when we were killed", eventually(lambda: not left()))


run_tests(
    start,
    exec_on_a_terminal,
    ends_of_exec,
    exec_without_a_terminal,
    attach_with_a_terminal,
    attach_without_a_terminal,
    run_on_a_terminal,
)
