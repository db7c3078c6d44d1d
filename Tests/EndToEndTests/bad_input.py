"""Sends what no good client sends, on raw sockets: bad_input.py HOST PORT

One line for each case, `ok NAME` or `FAILED NAME: reason`. After each case the server must still answer.
"""

import json
import socket
import sys

HOST, PORT = sys.argv[1], int(sys.argv[2])
GOOD = b'{"model":"plain","messages":[{"role":"user","content":"Hi"}]}'
PATH = "/v1/chat/completions"


def exchange(data, half_close=False, timeout=20):
    """Sends bytes and returns everything that comes back until the server closes."""
    with socket.create_connection((HOST, PORT), timeout=timeout) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


def request(body, path=PATH, method="POST", headers=()):
    lines = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def status_of(answer):
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    return int(answer.split(b" ", 2)[1])


def refused(answer, status):
    assert status_of(answer) == status, answer[:500]
    body = json.loads(answer.split(b"\r\n\r\n", 1)[1])
    assert set(body["error"]) == {"message", "type", "param", "code"}, body


def case_malformed_json():
    for body in [b"", b"{", b'{"model":"plain",}', b"[1]", b"null", b"\xff\xfe", b'{"model":"plain"} trailing']:
        refused(exchange(request(body)), 400)


def case_deep_nesting():
    refused(exchange(request(b"[" * 100_000)), 400)


def case_unknown_path():
    refused(exchange(request(b"{}", path="/v1/nothing")), 404)


def case_wrong_method():
    refused(exchange(request(b"", method="DELETE")), 405)


def case_declared_body_over_the_limit():
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n".encode()
    refused(exchange(head), 413)


def case_chunked_body_over_the_limit():
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    refused(exchange(head + b"20000\r\n" + b"x" * 0x20000 + b"\r\n"), 413)


def case_shorter_body_than_declared():
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(GOOD) + 10}\r\n\r\n".encode()
    answer = exchange(head + GOOD, half_close=True)
    assert answer == b"" or status_of(answer) in (400, 408), answer[:200]


def case_negative_length():
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".encode()
    assert status_of(exchange(head + GOOD)) == 400


def case_not_http():
    answer = exchange(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
    assert answer == b"" or status_of(answer) == 400, answer[:200]


def case_vanishing_client():
    for size in (1, 20, 60, 120, len(GOOD) + 100):
        data = request(GOOD)[:size]
        with socket.create_connection((HOST, PORT), timeout=20) as connection:
            connection.sendall(data)


def case_resetting_client():
    with socket.create_connection((HOST, PORT), timeout=20) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.sendall(request(GOOD))


def case_slow_client():
    data = request(GOOD)
    with socket.create_connection((HOST, PORT), timeout=20) as connection:
        for index in range(len(data)):
            connection.sendall(data[index : index + 1])
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert status_of(answer) == 200, answer[:200]


def lives_on():
    assert status_of(exchange(request(b"", path="/health", method="GET"))) == 200
    assert status_of(exchange(request(GOOD))) == 200


def main():
    failed = 0
    for name, case in list(globals().items()):
        if not name.startswith("case_"):
            continue
        try:
            case()
            lives_on()
            print("ok", name.removeprefix("case_"), flush=True)
        except Exception as error:
            failed += 1
            reason = str(error).replace("\n", " ")
            print(f"FAILED {name.removeprefix('case_')}: {type(error).__name__}: {reason}", flush=True)
    sys.exit(1 if failed else 0)


main()
