#!/usr/bin/env python3
"""What `stack hook` answers: to forges, to strangers, to too much and too slow."""
import concurrent.futures
import contextlib
import json
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.environ["TOP"], "tests/support"))
from hook import *  # noqa: E402

MIB = 1 << 20
BODY_MAX = 25 * MIB
PUSH = json.dumps({"ref": "refs/heads/main", "after": commit(1)}).encode()
REFUSED = (401, '{"error":"not signed, or not by us"}\n')


def post(target, body, headers):
    return server.ask("POST", target, body, headers)


def payload(url, **fields):
    return json.dumps({"ref": "refs/heads/main", "after": commit(2), "repository": {"clone_url": url}, **fields}).encode()


os.makedirs(path("a"))
write("a/other", "another secret\n", 0o600)
server = Server("a", """
http: { time: 2s, connections_per_source: 40 }
projects:
  nova: { git: 'https://forge.example/a/nova.git', command: ['true'] }
  mine: { git: 'https://forge.example/a/mine.git', command: ['true'], secret_file: other }
  lab: { git: 'https://lab.example/a/nova.git', command: ['true'], forge: gitlab }
""")

# --- deliveries ---
equal("a push is queued", post("/hook/nova", PUSH, github(PUSH, "one")), (202, '{"job":1}\n'))
equal("the same again is known", post("/hook/nova", PUSH, github(PUSH, "one")), (200, '{"duplicate":true,"job":1}\n'))
equal("another branch is none of ours",
      server.push("nova", "two", commit(1), "refs/heads/x"), (200, '{"ignored":"a ref that is not built"}\n'))
equal("a ping", post("/hook/nova", b"{}", github(b"{}", event="ping")), (200, '{"ignored":"ping"}\n'))
gone = json.dumps({"ref": "refs/heads/main", "after": "0" * 40, "deleted": True}).encode()
equal("a branch that was deleted", post("/hook/nova", gone, github(gone)), (200, '{"ignored":"the ref was deleted"}\n'))
equal("proven rubbish", post("/hook/nova", b"[1]", github(b"[1]")), (400, '{"error":"not a JSON object"}\n'))

# --- proofs: whatever is wrong, the answer is the same ---
good = github(PUSH)
for name, change in [
    ("absent", {"X-Hub-Signature-256": None}),
    ("empty", {"X-Hub-Signature-256": ""}),
    ("an empty one", {"X-Hub-Signature-256": "sha256="}),
    ("cut", {"X-Hub-Signature-256": good["X-Hub-Signature-256"][:-1]}),
    ("in capitals", {"X-Hub-Signature-256": "sha256=" + signature(PUSH).upper()}),
    ("sha1 alone", {"X-Hub-Signature-256": None, "X-Hub-Signature": "sha1=" + "0" * 40}),
    ("of another secret", {"X-Hub-Signature-256": "sha256=" + signature(PUSH, "x")}),
    ("of the same in other words", {"X-Hub-Signature-256": "sha256=" + signature(PUSH.replace(b" ", b""))}),
]:
    headers = {k: v for k, v in {**good, **change}.items() if v is not None}
    equal(f"signature: {name}", post("/hook/nova", PUSH, headers), REFUSED)
equal("signature: of another project's secret", post("/hook/mine", PUSH, github(PUSH)), REFUSED)
equal("signature: of another forge", post("/hook/lab", PUSH, github(PUSH)), REFUSED)
with contextlib.closing(server.connect()) as c:
    c.putrequest("POST", "/hook/nova")
    for key, value in {**good, "Content-Length": len(PUSH)}.items():
        c.putheader(key, value)
    c.putheader("X-Hub-Signature-256", "sha256=" + "0" * 64)
    c.endheaders(PUSH)
    equal("signature: twice", c.getresponse().status, 401)

# --- which project ---
body = payload("https://forge.example/a/nova")
equal("POST /hook finds the project", post("/hook", body, github(body, "three")), (202, '{"job":2}\n'))
body = payload("https://other.example/a/nova")
equal("the same name on another forge is another repository",
      post("/hook", body, github(body, "four"))[1], '{"ignored":"no project has this repository"}\n')
body = payload("https://lab.example/a/nova")
equal("a delivery of another forge does not find it", post("/hook", body, github(body, "five"))[0], 200)
body = payload("https://forge.example/a/mine")
equal("the common secret says nothing about a project with its own",
      post("/hook", body, github(body, "six"))[1], '{"ignored":"no project has this repository"}\n')
body = payload("https://evil.example/x", after=commit(3))
equal("the payload's address is not used", post("/hook/nova", body, github(body, "seven")), (202, '{"job":3}\n'))

# --- what is none ---
equal("no such project", post("/hook/glance", PUSH, github(PUSH))[0], 404)
equal("no such path", post("/hookx", PUSH, github(PUSH))[0], 404)
equal("only POST", server.ask("GET", "/hook/nova")[0], 405)
equal("views only to GET", server.ask("DELETE", "/jobs")[0], 405)
equal("no compressed bodies", post("/hook/nova", PUSH, {**good, "Content-Encoding": "gzip"})[0], 415)

# --- views ---
equal("GET /jobs/1", server.ended(1)["state"], "success")
ok("GET /jobs: the newest first", server.ended(3) and [j["id"] for j in server.jobs()] == [3, 2, 1], server.jobs())
ok("GET /jobs/1/log", "[exit 0, after" in server.log(1), server.log(1))
equal("no such job", server.ask("GET", "/jobs/99")[0], 404)
equal("no such path below a job", server.ask("GET", "/jobs/1x")[0], 404)
equal("no path out of it", server.ask("GET", "/jobs/../../secret")[0], 404)
equal("GET /healthz", server.ask("GET", "/healthz"), (200, '{"status":"ok"}\n'))
equal("not through a proxy without a token", server.ask("GET", "/jobs", headers={"X-Forwarded-For": "10.0.0.9"})[0], 403)
equal("not by a name that somebody gave us", server.ask("GET", "/jobs", headers={"Host": "evil.example"})[0], 403)
equal("the health is everybody's", server.ask("GET", "/healthz", headers={"X-Forwarded-For": "10.0.0.9"})[0], 200)


# --- large ---
def filled(size):
    head = json.dumps({"ref": "refs/heads/main", "after": commit(4)}).encode()
    return head + b" " * (size - len(head))


def announce(size):
    """Somebody who promises a signed body, and waits."""
    s = socket.create_connection(server.address.split(":"))
    s.sendall(f"POST /hook/nova HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: push\r\nX-Hub-Signature-256: sha256={'0' * 64}\r\n"
              f"Content-Length: {size}\r\n\r\n".encode())
    return s


body = filled(BODY_MAX)
equal("25 MB are taken", post("/hook/nova", body, github(body, "large"))[0], 202)
with announce(BODY_MAX + 1) as s:
    equal("one more is refused before it is sent", s.recv(100).split(b" ")[1], b"413")
status = server.ask("POST", "/hook/nova", iter([body[:MIB]] * 25 + [b"x"]), good)[0]
equal("one more in chunks is refused", status, 413)
equal("a long head is refused", post("/hook/nova", PUSH, {**good, "X-Long": "x" * 40000})[0], 431)

waiting = [announce(BODY_MAX) for _ in range(8)]
time.sleep(0.1)
ninth = announce(BODY_MAX)
equal("eight large bodies at a time", ninth.recv(100).split(b" ")[1], b"503")
equal("a push of usual size has room beside them", server.push("nova", "small", commit(8))[0], 202)
for s in waiting + [ninth]:
    s.close()

# --- a disk that is full ---
os.rename(path("a/q/jobs"), path("a/q/away"))
equal("what cannot be written is not promised", server.push("nova", "full", commit(9))[0], 503)
os.rename(path("a/q/away"), path("a/q/jobs"))
equal("and is taken when it comes again", server.push("nova", "full", commit(9))[0], 202)

# --- slow ---
slow = []
for text in [b"", b"POST /ho", b"POST /hook/nova HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: push\r\n"
             b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\nContent-Length: 1000\r\n\r\n{"] * 10:
    s = socket.create_connection(server.address.split(":"))
    s.sendall(text)
    slow.append(s)
began = time.monotonic()
answer = server.push("nova", "meanwhile", commit(5))[0]


def closed(s):
    """A byte now and then; true when the other side had enough."""
    try:
        s.settimeout(0.01)
        s.send(b"x")
        return s.recv(100) == b"" or True
    except socket.timeout:
        return False
    except OSError:
        return True


equal("thirty slow senders hold up nobody", (answer, [closed(s) for s in slow].count(True)), (202, 0))
left = list(slow)


def all_closed():
    time.sleep(0.2)
    left[:] = [s for s in left if not closed(s)]
    return not left


ok("slow ones are closed though they go on", eventually(all_closed), f"{len(left)} are open")
ok("and not before their time", time.monotonic() - began >= 1.5, time.monotonic() - began)
many = [socket.create_connection(server.address.split(":")) for _ in range(60)]
time.sleep(0.1)
refused = sum(1 for s in many if closed(s))
ok("one source gets only so many connections", refused >= 60 - 40, f"{refused} of 60 were closed")
for s in many:
    s.close()


def let_in():
    try:
        return server.ask("GET", "/healthz")[0] == 200
    except OSError:
        return False


ok("and is let in again when they are gone", eventually(let_in))

# --- a token for the views ---
write("a/token", "look\n", 0o600)
server.configure("""
view: { token_file: token }
projects:
  nova: { git: 'https://forge.example/a/nova.git', command: ['true'], refs: ['*'] }
""")
server.signal(signal.SIGHUP)
ok("reload: the views want a token", eventually(lambda: server.ask("GET", "/jobs")[0] == 401), server.said())
equal("the token", server.ask("GET", "/jobs", headers={"Authorization": "Bearer look"})[0], 200)
equal("the token as a password", server.ask("GET", "/jobs", headers={"Authorization": "Basic dTpsb29r"})[0], 200)
equal("another token", server.ask("GET", "/jobs", headers={"Authorization": "Bearer loo"})[0], 401)
server.configure("view: {}\nprojects: { nova: { gitt: x } }\n")
server.signal(signal.SIGHUP)
ok("a reload with mistakes", eventually(lambda: "the old configuration stays" in server.said()), server.said())
ok("says where", "hook.yaml:5:21: error: nova: unknown key 'gitt'; did you mean 'git'?" in server.said(), server.said())
equal("and the old one stays", server.push("nova", "reload", commit(6), "refs/heads/any")[0], 202)

# --- the example ---
with open(os.path.join(os.environ["TOP"], "examples/ci/hook.yaml")) as f:
    write("example.yaml", f.read().replace("/etc/stack", work))
for name in ("hook.secret", "view.token", "github.token", "nova.secret"):
    write(name, "x\n", 0o600)
checked = subprocess.run([os.environ["STACK"], "hook", "--config", path("example.yaml"), "--check"], capture_output=True, text=True)
equal("examples/ci/hook.yaml has no mistakes", (checked.returncode, checked.stdout, checked.stderr), (0, "3 projects\n", ""))

# --- the page ---
evil = "refs/heads/<script>alert('1')</script>&"
look = {"Authorization": "Bearer look"}
equal("a branch that is a script", server.push("nova", "evil", commit(7), evil)[0], 202)
status, page = server.ask("GET", "/", headers=look)
ok("the page shows it", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;" in page, page)
ok("and nothing of it works", "<script" not in page and "http" not in page.replace("http-equiv", ""), page)
server.signal(signal.SIGTERM)
equal("SIGTERM ends it", server.wait(), 0)
ok("no secret was said", SECRET not in server.said() and "look" not in server.said(), server.said())

# --- many: 1,000 deliveries at once, each twice; each is on disk before it is answered ---
os.makedirs(path("b"))
server = Server("b", """
keep: 10000
projects:
  nova: { git: 'https://forge.example/a/nova.git', command: [sh, -c, 'echo $STACK_HOOK_JOB $STACK_HOOK_COMMIT >>built'] }
""")
UNIQUE, SENDERS = 500, 8


def send(k):
    """Every delivery is sent twice, by senders that are far from each other."""
    with contextlib.closing(server.connect()) as connection:
        return [server.push("nova", f"d{n % UNIQUE}", commit(n % UNIQUE + 1), connection=connection)
                for n in range(k, 2 * UNIQUE, SENDERS)]


began = time.monotonic()
with concurrent.futures.ThreadPoolExecutor(SENDERS) as pool:
    answers = [a for part in pool.map(send, range(SENDERS)) for a in part]
took = time.monotonic() - began
print(f"# {took:.1f} s")
ok("1,000 deliveries are answered", took < 30, f"{took:.1f} s")
equal("half of them are duplicates", sorted(status for status, _ in answers), [200] * UNIQUE + [202] * UNIQUE)
equal("and one more", server.push("nova", "last", commit(9999))[0], 202)
eventually(lambda: not [j for j in server.jobs() if j["state"] in ("queued", "running")])
server.signal(signal.SIGTERM)
server.wait()
jobs = [json.loads(read(f"b/q/jobs/{name}")) for name in os.listdir(path("b/q/jobs"))]
built = read("b/built").split("\n")[:-1]
equal("a job for each that is not a duplicate", len(jobs), UNIQUE + 1)
states = sorted({j["state"] for j in jobs})
ok("each was built or gave way", states == ["success", "superseded"], states)
equal("each was built once", len(built), sum(1 for j in jobs if j["state"] == "success"))
equal("and none twice", len(set(built)), len(built))
ok("the last one was built last", built[-1].endswith(commit(9999)), built[-1])
finish()
