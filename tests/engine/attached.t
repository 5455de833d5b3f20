#!/usr/bin/env python3
"""`stack up` without -d, on a terminal of its own: output, Ctrl-C, its end by itself."""
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios

STACK = os.environ["STACK"]
NAME = f"test-attached-{os.getpid()}"
WORK = tempfile.mkdtemp(prefix="test-", dir=os.environ.get("TEST_TMP"))
FILE = os.path.join(WORK, "compose.yaml")

number = failed = 0


def ok(name, good, shown=""):
    global number, failed
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
    if not good:
        failed += 1
        for line in str(shown).splitlines():
            print("#   " + ascii(line))


def write(**commands):
    """A stack file: a service for each command, none of which needs a network."""
    with open(FILE, "w") as f:
        f.write("services:\n")
        for service, command in commands.items():
            f.write(
                f"  {service}:\n    image: busybox\n    network_mode: none\n    init: true\n"
                f"    command: ['sh', '-c', '{command}']\n"
            )


def stack(*args):
    return [STACK, "-p", NAME, "-f", FILE, *args]


def quietly(*args):
    return subprocess.run(stack(*args), capture_output=True, text=True, stdin=subprocess.DEVNULL)


class Terminal:
    """A command on a terminal of 24 lines and 80 columns, in a session of its own."""

    def __init__(self, *args):
        self.seen = ""
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (24, 80))
        self.before = termios.tcgetattr(self.slave)
        pid = os.fork()
        if pid == 0:
            os.login_tty(self.slave)
            os.environ["TERM"] = "xterm-256color"
            os.execv(STACK, stack(*args))
        self.pid = pid

    def read(self, wait):
        """What came; False when nothing did for so long."""
        if not select.select([self.master], [], [], wait)[0]:
            return False
        self.seen += os.read(self.master, 65536).decode(errors="replace")
        return True

    def until(self, text):
        while text not in self.seen:
            if not self.read(60):
                return False
        return True

    def end(self):
        """The exit code. The slave stays open here, so that its settings can be looked at."""
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            self.read(0.05)
        while self.read(0):
            pass
        return os.waitstatus_to_exitcode(status)

    def restored(self):
        shown = [m for m in re.findall(r"\x1b\[\?25([hl])", self.seen)][-1:]
        return termios.tcgetattr(self.slave) == self.before and shown in ([], ["h"])


def ctrl_c():
    trap = "trap \"echo web stops; exit 0\" TERM; echo web runs; while :; do sleep 0.1; done"
    write(web=trap, db="echo db runs; exec tail -f /dev/null")
    t = Terminal("up")
    both = t.until("web runs") and t.until("db runs")
    ok("the output of both comes", both, t.seen)
    os.write(t.master, b"\x03")
    code = t.end()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", t.seen)
    ok("with the name of the container before it", re.search(r"web-1 +\| web runs", plain), plain)
    ok("Ctrl-C stops gracefully, and says so", "Gracefully stopping" in plain, plain)
    ok("the container was asked to stop, and its last line came", "| web stops" in plain, plain)
    ok("it ends with 130", code == 130, f"{code}\n{plain}")
    ok("the terminal is as it was", t.restored(), t.seen)
    left = quietly("ps", "-a", "--format", "{{.State}}").stdout.split()
    ok("the containers are stopped, not removed", left == ["exited", "exited"], left)


def end_by_itself():
    quietly("down", "-t", "0")
    write(one="echo first line", two="echo second line")
    t = Terminal("up")
    code = t.end()
    ok("it ends when all containers have", code == 0, f"{code}\n{t.seen}")
    ok("with all their output", "first line" in t.seen and "second line" in t.seen, t.seen)
    ok("and leaves the terminal as it was", t.restored(), t.seen)


def exit_code_from():
    quietly("down", "-t", "0")
    write(tests="echo tested; exit 7", server="exec tail -f /dev/null")
    result = quietly("up", "--exit-code-from", "tests", "-t", "1")
    ok("--exit-code-from: the code of that service", result.returncode == 7, result)
    ok("its output, on standard output", "| tested" in result.stdout, result)
    left = quietly("ps", "-q").stdout
    ok("the others were stopped", left == "", left)


try:
    ctrl_c()
    end_by_itself()
    exit_code_from()
finally:
    quietly("down", "-v", "-t", "0")
    shutil.rmtree(WORK)
print(f"1..{number}")
sys.exit(failed != 0)
