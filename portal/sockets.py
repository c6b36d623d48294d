"""Takes websockets for `portal.server`: short messages in, long ones out, at the speed of who reads them."""

from typing import Any

from daphne.ws_protocol import WebSocketProtocol

from portal.flow import Flow


class PortalSocket(WebSocketProtocol):  # type: ignore[misc]  # the library has no types
    """One websocket."""

    maxMessagePayloadSize: int

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.flow = Flow()

    def onOpen(self) -> None:
        """Hear from now on how the viewer reads, which until here the channel of the handshake did."""
        super().onOpen()
        self.failByDrop = False  # who sends too much is told why (1009) before the connection ends
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.flow, True)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:
        """Send a frame of any size: the limit is meant for viewers, but autobahn holds us to it, too."""
        limit, self.maxMessagePayloadSize = self.maxMessagePayloadSize, 0
        try:
            super().serverSend(content, binary)
        finally:
            self.maxMessagePayloadSize = limit

    def cut(self) -> None:
        """End the connection at once: a closing frame would wait behind what is not read."""
        self.transport.abortConnection()
