"""A `stack hook` of a test, and somebody who sends to it."""

import atexit
import hashlib
import hmac
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile

from tap import equal, eventually, finish, ok  # noqa: F401

SECRET = "It's a Secret to Everybody"
work = tempfile.mkdtemp(dir=os.environ.get("TEST_TMP", "/tmp"))
_servers = []  # killed at the end, whatever it is


@atexit.register
def clean_up():
    for server in _servers:
        server.kill()
    shutil.rmtree(work, ignore_errors=True)


def path(name):
    return os.path.join(work, name)


def write(name, text, mode=0o644):
    with open(path(name), "w") as f:
        f.write(text)
    os.chmod(path(name), mode)
    return path(name)


def read(name):
    try:
        with open(path(name)) as f:
            return f.read()
    except FileNotFoundError:
        return ""


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False  # the second: it ended between opening and reading


class Server:
    """One at a time for each folder; what it says is in .said()."""

    def __init__(self, folder, config):
        os.makedirs(path(folder), exist_ok=True)
        self.folder = folder
        write(f"{folder}/secret", SECRET + "\n", 0o600)
        self.configure(config)
        _servers.append(self)
        self.start()

    def configure(self, config):
        write(f"{self.folder}/hook.yaml", "listen: 127.0.0.1:0\nqueue: q\nsecret_file: secret\n" + config)

    def start(self):
        self.out = open(path(f"{self.folder}/said"), "a")
        mark = len(self.said())
        self.process = subprocess.Popen(
            [os.environ["STACK"], "hook", "--config", path(f"{self.folder}/hook.yaml")],
            stdout=self.out, stderr=self.out, stdin=subprocess.DEVNULL)
        wanted = "listening at http://"
        eventually(lambda: "\n" in self.said()[mark:].partition(wanted)[2] or self.process.poll() is not None)
        self.address = self.said()[mark:].partition(wanted)[2].partition("\n")[0]

    def said(self):
        return read(f"{self.folder}/said")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        return self.process.wait(timeout=30)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def connect(self):
        return http.client.HTTPConnection(self.address, timeout=30)

    def ask(self, method, target, body=None, headers=None, connection=None):
        """(status, text) of one request."""
        c = connection or self.connect()
        c.request(method, target, body=body, headers=headers or {})
        answer = c.getresponse()
        text = answer.read().decode()
        if not connection:
            c.close()
        return answer.status, text

    def push(self, project, delivery, commit, ref="refs/heads/main", connection=None):
        body = json.dumps({"ref": ref, "after": commit}).encode()
        return self.ask("POST", f"/hook/{project}", body, github(body, delivery), connection)

    def jobs(self):
        return json.loads(self.ask("GET", "/jobs")[1])["jobs"]

    def job(self, number):
        return json.loads(self.ask("GET", f"/jobs/{number}")[1])

    def ended(self, number, seconds=20):
        """The job when it has ended."""
        eventually(lambda: self.job(number)["state"] not in ("queued", "running"), seconds)
        return self.job(number)

    def log(self, number):
        return self.ask("GET", f"/jobs/{number}/log")[1]


def signature(body, secret=SECRET):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def github(body, delivery="d", event="push"):
    return {"Content-Type": "application/json", "X-GitHub-Event": event, "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": "sha256=" + signature(body)}


def commit(n):
    return f"{n:040x}"
