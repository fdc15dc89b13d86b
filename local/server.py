"""The HTTP server of this machine: uvicorn around the handler."""

import socket
from collections.abc import Mapping
from threading import Thread
from types import TracebackType

import uvicorn

from local.application import Application, Page, Respond
from local.connection import REQUEST_SECONDS, Connection

BACKLOG = 2048
IDLE_SECONDS = 30
# Seconds for open requests to finish when the server stops: longer than reading a request may take.
GRACE_SECONDS = REQUEST_SECONDS + 5


class Server:
    """Listen on construction (OSError if the address is not available); `run` serves until `stop` is called.

    As a context manager it serves in a thread of its own. `pages` are paths that it answers itself: see Application.
    """

    def __init__(
        self,
        handler: Respond,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        pages: Mapping[str, Page] | None = None,
        quiet: bool = False,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        self._socket = _listen(host, port)
        protocol = type("Connection", (Connection,), {"request_seconds": request_seconds, "quiet": quiet})
        self._server = uvicorn.Server(
            uvicorn.Config(
                Application(handler, pages or {}, quiet=quiet),
                loop="asyncio",
                http=protocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                backlog=BACKLOG,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
                # The answer is the handler's, to the byte; the lines are ours; the client is who is connected.
                date_header=False,
                server_header=False,
                access_log=False,
                log_config=None,
                log_level="critical",
                proxy_headers=False,
            )
        )
        self._thread: Thread | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    @property
    def url(self) -> str:
        """The address as a URL, such as http://127.0.0.1:8000."""
        return f"http://{authority(*self.address)}"

    def run(self) -> None:
        """Serve; once stopped, finish the requests under way and return."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Make `run` return; callable from a signal handler and from any thread."""
        self._server.should_exit = True

    def close(self) -> None:
        """Release the port."""
        self._socket.close()

    def __enter__(self) -> "Server":
        """Serve in a thread."""
        self._thread = Thread(target=self.run)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving and wait for the thread."""
        self.stop()
        if self._thread is not None:
            self._thread.join()
        self.close()


def authority(host: str, port: int) -> str:
    """Host and port as a URL has them.

    >>> authority("::1", 8000)
    '[::1]:8000'
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket of the family that the host belongs to."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(address[:2], family=family, backlog=BACKLOG)
