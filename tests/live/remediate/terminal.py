#!/usr/bin/env python3
"""Runs a program on a real pseudo-terminal of 80 columns and answers what it asks.

In, on standard input: {"command": [...], "answers": [[text to wait for, keys to send], ...]},
and perhaps "wait": seconds after the last answer, "then": keys to send after them.
Out, on standard output: {"code": exit code, "screen": everything that was shown, without escape sequences}.
"""
import fcntl, json, os, pty, re, select, struct, sys, termios, time

DEADLINE = time.monotonic() + 60
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]|\r")
order = json.load(sys.stdin)

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(order["command"][0], order["command"])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

raw = b""


def more():
    """Reads what is there; False when the program has closed the terminal."""
    global raw
    if time.monotonic() > DEADLINE:
        sys.exit("waited too long; so far:\n" + shown())
    if not select.select([terminal], [], [], 0.2)[0]:
        return True
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        return False
    if b"\x1b[6n" in piece:
        os.write(terminal, b"\x1b[1;1R")
    raw += piece
    return bool(piece)


def shown():
    return ESCAPES.sub(b"", raw).decode(errors="replace")


seen = 0
for wanted, keys in order["answers"]:
    while (place := shown().find(wanted, seen)) < 0:
        if not more():
            sys.exit(f"it ended before it showed {wanted!r}:\n" + shown())
    seen = place + len(wanted)
    os.write(terminal, keys.encode())
until = time.monotonic() + order.get("wait", 0)
while time.monotonic() < until:
    more()
os.write(terminal, order.get("then", "").encode())
while more():
    pass
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
json.dump({"code": code, "screen": shown()}, sys.stdout)
