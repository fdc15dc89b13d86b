"""A connection of uvicorn, with the protections that uvicorn leaves to a proxy.

* A limit for reading one whole request: uvicorn has one for idle connections only, so a client that sends a byte
  now and then would be served for ever.
* No Nagle's algorithm: with delayed acknowledgements it costs a kept connection 40 ms a request.
* Problem details for bytes that are not HTTP, where uvicorn sends plain text.
"""

import asyncio
import socket
import sys
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from local.application import HEAD_LIMIT, LINGER_SECONDS, problem, say

REQUEST_SECONDS = 20


class Connection(H11Protocol):
    """One client. A request has to be read within `request_seconds` of its first byte."""

    request_seconds: float = REQUEST_SECONDS
    quiet = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Switch Nagle's algorithm off and start the deadline of the first request."""
        super().connection_made(transport)
        # asyncio does so only for sockets that were made with IPPROTO_TCP, which those of create_server are not.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._start_deadline()

    def data_received(self, data: bytes) -> None:
        """Restart the deadline and parse; drop data that follow a refusal."""
        if self._is_refused:
            return
        self._start_deadline()
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Stop the deadline of the answered request."""
        self._stop_deadline()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the deadline of a closed connection."""
        self._stop_deadline()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that h11 cannot read. A response in progress is cut off instead.

        Whether a head that is too long reaches h11's limit before it is complete depends on how the network cuts it.
        """
        if getattr(sys.exception(), "error_status_hint", 400) == 431:
            self._refuse(431, f"expected a target and headers of at most {HEAD_LIMIT} bytes, got more")
        else:
            self._refuse(400, "expected a request as RFC 9112 defines it")

    def _start_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.request_seconds, self._expire)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        """The answer to a request that has been read completely may take as long as it takes."""
        is_read = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        if not (is_read or self._is_refused or self.transport.is_closing()):
            self._refuse(408, f"expected the whole request within {self.request_seconds:g} s")

    def _refuse(self, status: int, detail: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            answer = problem(status, detail)
            body = answer["body"].encode()
            headers = [*answer["headers"].items(), ("content-length", str(len(body)))]
            head = h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase.encode())
            for event in (head, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
            if not self.quiet:
                say(f"{self.client[0] if self.client else '-'} - - {status}")
        # Closing with bytes unread could take the answer from a client that is still sending.
        self._is_refused = True
        self._stop_deadline()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)
