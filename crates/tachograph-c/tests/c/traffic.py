"""Real traffic for a C example, and its metrics compared with what was sent.

The program prints its port, and its metrics when its input ends.
"""

import socket
import subprocess
import sys
import time

CLIENTS = 5
MESSAGES = 200


def main(program):
    began = time.monotonic()
    # What is read from it below has no deadline of its own.
    echo = subprocess.Popen(
        ["timeout", "--signal=KILL", "120", program],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    port = int(echo.stdout.readline())
    clients = [socket.create_connection(("127.0.0.1", port), 60) for _ in range(CLIENTS)]
    sent = 0
    for number in range(MESSAGES):
        client = clients[number % CLIENTS]
        message = bytes((i * 31 + number) % 256 for i in range(1 + number * number * 7 % 9_000))
        client.sendall(message)
        back = b""
        while len(back) < len(message):
            more = client.recv(len(message) - len(back))
            if not more:
                sys.exit(f"message {number} came back in part")
            back += more
        if back != message:
            sys.exit(f"message {number} came back changed")
        sent += len(message)
    # All leave but one.
    for client in clients[1:]:
        client.close()
    echo.stdin.close()
    page = echo.stdout.read()
    if echo.wait() != 0:
        sys.exit(f"the program failed ({echo.returncode})")
    ranges = expected(sent, time.monotonic() - began)
    told = problems(page, ranges)
    if told:
        sys.exit("\n".join([*told, page]))
    # A page with any of the figures wrong has to be refused.
    for key, (_, most) in ranges.items():
        for wrong in (page.replace(f"{key} ", f"other_{key} "), spoiled(page, key, most)):
            if len(problems(wrong, ranges)) != 1:
                sys.exit(f"a wrong {key} was not noticed")
    print(f"{MESSAGES} messages, {sent} bytes")


def expected(sent, took):
    """The least and the greatest value of each figure. A message may come in pieces, and each is
    echoed before the next is sent, so it takes a turn of its own."""
    return {
        'connections_accepted_total{protocol="tcp"}': (CLIENTS, CLIENTS),
        "connections_open": (1, 1),
        "chunk_size_bytes_sum": (sent, sent),
        "chunk_size_bytes_count": (MESSAGES, None),
        "loop_turn_seconds_count": (MESSAGES, None),
        "loop_turn_seconds_sum": (sys.float_info.min, took),
    }


def problems(page, ranges):
    """What is wrong with a page in the Prometheus text format."""
    told = []
    values = dict(line.rsplit(" ", 1) for line in page.splitlines() if line[:1] not in ("", "#"))
    for key, (least, most) in ranges.items():
        value = float(values.get(key, "nan"))
        if not (value >= least and (most is None or value <= most)):
            told.append(f"{key} is {value}, not {least} to {most}")
    return told


def spoiled(page, key, most):
    """The page with a value beyond the range."""
    wrong = "0" if most is None else str(most * 1.5)
    lines = (f"{key} {wrong}" if line.startswith(f"{key} ") else line for line in page.splitlines())
    return "\n".join(lines)


main(sys.argv[1])
