"""The loads of the scenarios: `traffic.py NAME ARGUMENT...`. Each says `ready` when it stands, and stands until it is killed."""

import os
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
    """One datagram to each of so many ports, which nobody answers; then so many of them per second again, the same ones."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind(("", 7002))
    for port in range(10000, 10000 + flows):
        send(sender, address, port)
    ready()
    number = 0
    while True:
        for _ in range(max(1, per_second // 20)):
            send(sender, address, 10000 + number % flows)
            number += 1
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


LOADS = {load.__name__.replace("_", "-"): load for load in [udp_unread, bursts, sink, udp_flows, tcp_held]}
name, *arguments = sys.argv[1:]
LOADS[name](*[int(word) if word.isdigit() else word for word in arguments])
