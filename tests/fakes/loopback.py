"""An HTTP server on loopback that runs while a block runs: the base of all fake services."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Generic, TypeVar

Fake = TypeVar("Fake")


class LoopbackServer(ThreadingHTTPServer, Generic[Fake]):
    """A thread per connection; `fake` is the state of the service that it imitates."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler], fake: Fake, port: int) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.fake = fake
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._open: set[object] = set()
        """Addresses of the clients with an open connection."""
        self._last_accepted: object = None

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(client_address)
        self._last_accepted = client_address
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.discard(client_address)

    def wait_for_gone_clients(self, *, seconds: float = 60.0) -> None:
        """Wait until all that clients sent before they were killed is answered; no client may be alive.

        A connection that the server has not accepted yet counts: it is accepted in its order, before one that is opened here.
        """
        deadline = time.monotonic() + seconds
        with socket.create_connection(("127.0.0.1", self.server_port)) as last:
            while self._last_accepted != last.getsockname():
                assert time.monotonic() < deadline, "the server accepts no connection"
                time.sleep(0.001)
        while self._open:
            assert time.monotonic() < deadline, f"{len(self._open)} connections are still open"
            time.sleep(0.001)

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # connections are cut and clients killed on purpose


class LoopbackHandler(BaseHTTPRequestHandler, Generic[Fake]):
    """Answers one connection of a `LoopbackServer`, and logs nothing."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two writes: with Nagle's algorithm the second waits 40 ms for the client's delayed acknowledgement.
    disable_nagle_algorithm = True

    @property
    def fake(self) -> Fake:
        """The state of the service."""
        assert isinstance(self.server, LoopbackServer)
        return self.server.fake

    def log_message(self, format: str, *args: object) -> None:
        pass

    def reset(self) -> None:
        """Cut the connection as a broken network does: with RST, not FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


@contextmanager
def loopback_server(handler: type[BaseHTTPRequestHandler], fake: Fake, *, port: int = 0) -> Iterator[LoopbackServer[Fake]]:
    """Serve `fake` through `handler`; port 0 is any free one."""
    server = LoopbackServer(handler, fake, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def on_loopback(handler: type[BaseHTTPRequestHandler], fake: object, *, port: int = 0) -> Iterator[str]:
    """As `loopback_server`; gives the address alone."""
    with loopback_server(handler, fake, port=port) as server:
        yield server.url
