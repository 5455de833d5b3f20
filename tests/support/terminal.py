"""For tests in Python: TAP, a stack of the test's own, and commands on a pseudo-terminal."""
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading

from tap import PATIENCE, equal, eventually, finish, ok  # noqa: F401

STACK = os.environ["STACK"]
WORK = tempfile.mkdtemp(prefix="test-", dir=os.environ.get("TEST_TMP"))
FILE = os.path.join(WORK, "compose.yaml")
NAME = f"test-{os.path.basename(sys.argv[0]).removesuffix('.t')}-{os.getpid()}"
def run_tests(*tests):
    """Runs them in order, takes the stack down, and ends the program."""
    try:
        for test in tests:
            test()
    finally:
        quietly("down", "-v", "-t", "0")
        shutil.rmtree(WORK)
    finish()


def write(text):
    with open(FILE, "w") as f:
        f.write(text)


def stack(*args):
    return [STACK, "-p", NAME, "-f", FILE, *args]


def quietly(*args, **more):
    """A command without a terminal, to its end."""
    more = {"stdin": subprocess.DEVNULL, "timeout": PATIENCE} | more
    if "input" in more:
        del more["stdin"]
    return subprocess.run(stack(*args), capture_output=True, text=True, **more)


class Terminal:
    """
    A command on a terminal of 24 lines and 80 columns. As under a shell with job control it has a
    process group of its own, in a session whose leader waits for it.
    """

    def __init__(self, *args, env=None):
        self.seen = ""
        self.master, self.slave = pty.openpty()
        self.resize(24, 80)
        self.before = termios.tcgetattr(self.slave)
        told, tell = os.pipe()
        self.leader = os.fork()
        if self.leader == 0:
            try:
                os.close(told)
                self._lead(stack(*args), tell, env or {})
            finally:
                os._exit(1)
        os.close(tell)
        self.told = os.fdopen(told)
        self.pid = int(self.told.readline())

    def _lead(self, argv, tell, env):
        os.close(self.master)
        os.login_tty(self.slave)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpid())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.execve(STACK, argv, os.environ | {"TERM": "xterm-256color"} | env)
        os.write(tell, b"%d\n" % pid)
        status = os.waitpid(pid, 0)[1]
        os.write(tell, b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)

    def resize(self, rows, cols):
        termios.tcsetwinsize(self.slave, (rows, cols))

    def type(self, text):
        os.write(self.master, text.encode())

    def kill(self, signum):
        os.kill(self.pid, signum)

    def read(self, wait):
        """What came; False when nothing did for so long."""
        if not select.select([self.master], [], [], wait)[0]:
            return False
        self.seen += os.read(self.master, 65536).decode(errors="replace")
        return True

    def shows(self, text):
        """Whether it comes."""
        while text not in self.seen:
            if not self.read(PATIENCE):
                return False
        return True

    def until(self, text):
        """Whether it comes; what was seen up to its end is forgotten."""
        if not self.shows(text):
            return False
        self.seen = self.seen[self.seen.index(text) + len(text) :]
        return True

    def end(self):
        """The exit code; of a signal the number, negative. The slave stays open here, so that its
        settings can be looked at."""
        while self.told not in select.select([self.told, self.master], [], [], PATIENCE)[0]:
            if not self.read(0):
                return None
        code = int(self.told.readline())
        os.waitpid(self.leader, 0)
        while self.read(0):
            pass
        return code

    def close(self):
        """As when its window is closed: the leader gets SIGHUP, at its death the foreground."""
        os.close(self.slave)
        os.close(self.master)

    def raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def state(self):
        with open(f"/proc/{self.pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0]

    def plain(self):
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen)

    def restored(self):
        while self.read(0):
            pass
        shown = [m for m in re.findall(r"\x1b\[\?25([hl])", self.seen)][-1:]
        return termios.tcgetattr(self.slave) == self.before and shown in ([], ["h"])


class Wire:
    """Between a command and the engine, to be cut."""

    def __init__(self):
        self.path = os.path.join(WORK, "wire.sock")
        self.host = "unix://" + self.path
        self.ends = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        kind, place = os.environ["DOCKER_HOST"].split("://")
        if kind == "unix":
            self.engine = lambda: self._to(socket.socket(socket.AF_UNIX), place)
        else:
            address, port = place.rsplit(":", 1)
            self.engine = lambda: self._to(socket.socket(), (address, int(port)))
        threading.Thread(target=self._accept, daemon=True).start()

    @staticmethod
    def _to(end, place):
        end.connect(place)
        return end

    def _accept(self):
        while True:
            try:
                here = self.listener.accept()[0]
            except OSError:
                return
            there = self.engine()
            self.ends += [here, there]
            for pair in ((here, there), (there, here)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    @staticmethod
    def _carry(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        os.unlink(self.path)
        self.listener.close()
        for end in self.ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
