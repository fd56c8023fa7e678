"""A server that misbehaves, and rules that let tests fetch from it."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

from web.fetching.addresses import Rules, is_public

Answer = Callable[[socket.socket], None]


class Here(Rules):
    """Rules under which 127.0.0.1 is the open internet, and all else is as it is."""

    def allows_address(self, address: str) -> bool:
        return address == "127.0.0.1" or is_public(address)

    def allows_connection(self, here: str, there: str) -> bool:
        return here == there == "127.0.0.1"


def plain(
    body: bytes,
    kind: str = "image/jpeg",
    status: int = 200,
    headers: str = "",
    *,
    sized: bool = True,
) -> bytes:
    """Return an answer as it travels."""
    length = f"Content-Length: {len(body)}\r\n" if sized else ""
    return f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{length}{headers}\r\n".encode() + body


def leads(to: str, status: int = 302) -> bytes:
    """Return an answer that leads elsewhere."""
    return f"HTTP/1.1 {status} X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


def endless(start: bytes, more: bytes, stop: threading.Event, every: float = 0.0) -> Answer:
    """Return what sends a start, and then more for ever."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while not stop.wait(every):
            connection.sendall(more)

    return answer


BOMB = gzip.compress(bytes(50_000_000))


class HostileServer:
    """Answers on 127.0.0.1 what it is told to, byte by byte.

    Attributes
    ----------
    answers : dict
        By path: the bytes of an answer, or what sends them.
    asked : list of str
        The heads of the requests that came.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, bytes | Answer] = {}
        self.asked: list[str] = []
        self.stop = threading.Event()
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop, and wait for what is being answered."""
        self.stop.set()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while not self.stop.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._answer, args=(connection,))
                thread.start()
                self._threads.append(thread)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        # Whoever fetches hangs up as soon as it has enough.
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                stack.enter_context(connection)
            head = b""
            while b"\r\n\r\n" not in head:
                received = connection.recv(65536)
                if not received:
                    return
                head += received
            self.asked.append(head.decode("latin-1"))
            answer = self.answers.get(self.asked[-1].split(" ")[1], plain(b"gone", status=404))
            if isinstance(answer, bytes):
                connection.sendall(answer)
            else:
                answer(connection)


@contextlib.contextmanager
def hostile(tls: ssl.SSLContext | None = None) -> Iterator[HostileServer]:
    """Run a hostile server."""
    server = HostileServer(tls)
    try:
        yield server
    finally:
        server.close()
