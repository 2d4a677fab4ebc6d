"""An HTTP server on loopback that runs while a block runs: the base of all fake services."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Generic, TypeVar

Fake = TypeVar("Fake")


class LoopbackServer(ThreadingHTTPServer, Generic[Fake]):
    """A thread per connection; `fake` is the state of the service that it imitates."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler], fake: Fake, port: int) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.fake = fake

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
def on_loopback(handler: type[BaseHTTPRequestHandler], fake: object, *, port: int = 0) -> Iterator[str]:
    """Serve `fake` through `handler` and give the address; port 0 is any free one."""
    server = LoopbackServer(handler, fake, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
