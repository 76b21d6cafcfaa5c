"""The loads of the scenarios: `traffic.py NAME ARGUMENT...`. Each says `ready` when it stands, and stands until it is killed."""

import errno
import os
import select
import socket
import sys
import time

SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
UDP_SEGMENT = 103


def ready():
    print("ready", flush=True)


def stand():
    ready()
    while True:
        time.sleep(60)


def udp_unread(datagrams, per_second):
    """So many datagrams, each of which occupies 2,304 bytes, to a socket that nobody reads; then so many per second more."""
    reader = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    reader.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 128 << 20)
    reader.bind(("127.0.0.1", 7000))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(("127.0.0.1", 7000))
    for _ in range(datagrams):
        sender.send(b"." * 1400)
    ready()
    while True:
        for _ in range(per_second // 20):
            sender.send(b"." * 1400)
        time.sleep(0.05)


def bursts(address, per_second, flows, cpu):
    """So many bursts of 40 datagrams per second, over so many flows, sent by one CPU; the kernel cuts each burst at the device."""
    os.sched_setaffinity(0, {cpu})
    senders = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(flows)]
    for sender in senders:
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
        sender.connect((address, 7001))
    ready()
    sent, began = 0, time.monotonic()
    while True:
        try:
            senders[sent % flows].send(b"." * 40000)
        except OSError:
            pass  # nobody listens, and the last answer said so
        sent += 1
        time.sleep(max(0.0, began + sent / per_second - time.monotonic()))


def sink(port):
    """Reads the datagrams of a port as fast as they come."""
    reader = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    reader.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
    reader.bind(("", port))
    ready()
    while True:
        reader.recv(2048)


def udp_flows(address, flows, per_second):
    """One datagram to each of so many ports, which nobody answers; then so many of them per second again, the last ones first."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind(("", 7002))
    for port in range(10000, 10000 + flows):
        send(sender, address, port)
    ready()
    number = 0
    while True:
        for _ in range(max(1, per_second // 20)):
            number += 1
            send(sender, address, 10000 + -number % flows)
        time.sleep(0.05)


def send(sender, address, port):
    try:
        sender.sendto(b"?", (address, port))
    except OSError:
        pass  # a firewall refused it, or an answer said that nobody listens


def tcp_held(address, connections):
    """So many connections to a listener of this process, which stay open."""
    listener = socket.create_server((address, 8000), backlog=4096)
    kept = [listener]
    for _ in range(connections):
        kept += [socket.create_connection((address, 8000)), listener.accept()[0]]
    stand()


def udp_hosts(prefix, hosts, per_second, passing=0):
    """A datagram to each of so many hosts of a network, one after the other, again and again; and to so many others per second."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    number, others = 0, 0.0
    while True:
        others += passing * 0.05
        if others % 1 < passing * 0.05:
            send(sender, f"{prefix}.{200 + int(others) % 50}", 7003)
        for _ in range(max(1, per_second // 20)):
            send(sender, f"{prefix}.{1 + number % hosts}", 7003)
            number += 1
            if number == hosts:
                ready()
        time.sleep(0.05)


def tcp_knocks(address, port, per_second):
    """So many attempts per second to connect, each given up at once."""
    ready()
    while True:
        knock = socket.socket()
        knock.setblocking(False)
        knock.connect_ex((address, port))
        knock.close()
        time.sleep(1 / per_second)


def tcp_accepts(port, buffer):
    """Accepts and keeps what it accepts, and never reads: each may send as much as the buffer holds."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    listener.bind(("", port))
    listener.listen(4096)
    ready()
    kept = []
    while True:
        kept.append(listener.accept())


def tcp_drains(port):
    """Accepts and reads everything."""
    listener = socket.create_server(("", port), backlog=4096)
    ready()
    poll, open_ones = select.poll(), {listener.fileno(): listener}
    poll.register(listener, select.POLLIN)
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                one = listener.accept()[0]
                open_ones[one.fileno()] = one
                poll.register(one, select.POLLIN)
            else:
                open_ones[number].recv(1 << 20)


def tcp_sends(address, port, connections, size, per_second):
    """Connections that send a message of so many bytes so many times per second each."""
    opened = [socket.create_connection((address, port)) for _ in range(connections)]
    for one in opened:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.setblocking(False)
    ready()
    began, rounds = time.monotonic(), 0
    while True:
        for one in opened:
            try:
                one.send(b"." * size)
            except BlockingIOError:
                pass
        rounds += 1
        time.sleep(max(0.0, began + rounds / per_second - time.monotonic()))


def tcp_unread(connections, most):
    """Connections of this machine whose readers do not read, filled until TCP holds so many pages or nothing goes in any more."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20)
    listener.bind(("127.0.0.1", 8001))
    listener.listen(4096)
    writers, kept = [], []
    for _ in range(connections):
        writer = socket.create_connection(("127.0.0.1", 8001))
        writer.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20)
        writer.setblocking(False)
        writers.append(writer)
        kept.append(listener.accept())
    refused = 0
    while pages("TCP") < most and refused < 50:
        refused += 1
        for writer in writers:
            try:
                writer.send(b"." * 65536)
                refused = 0
            except BlockingIOError:
                pass
            if pages("TCP") >= most:
                break
        time.sleep(0.01)
    stand()


def pages(protocol):
    """What all sockets of the protocol hold, of /proc/net/sockstat."""
    for line in open("/proc/net/sockstat"):
        words = line.split()
        if words[0] == protocol + ":":
            return int(words[words.index("mem") + 1])
    raise SystemExit(f"no {protocol} in sockstat")


def orphans(address, port, connections, at_once):
    """Connections to a peer that does not read, closed with data that it does not take: so many at once, then 30 per second."""
    opened = []
    for _ in range(connections):
        connection = socket.create_connection((address, port))
        connection.setblocking(False)
        connection.send(b"." * 16384)
        opened.append(connection)
    for number, connection in enumerate(opened, 1):
        connection.close()
        if number == at_once:
            ready()
        if number >= at_once:
            time.sleep(0.033)
    time.sleep(3600)


def files(count):
    """So many open files."""
    kept = [os.pipe() for _ in range(count // 2)]
    stand()
    return kept


def file_refused():
    """Succeeds when the machine refuses a file to a user who is not privileged."""
    os.setuid(65534)
    try:
        os.pipe()
    except OSError as error:
        sys.exit(0 if error.errno == errno.ENFILE else f"{error}")
    sys.exit("a file was opened above the limit")


LOADS = {name.replace("_", "-"): load for name, load in globals().items() if callable(load)}
name, *arguments = sys.argv[1:]
LOADS[name](*[int(word) if word.isdigit() else word for word in arguments])
