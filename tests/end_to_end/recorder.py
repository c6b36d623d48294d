"""A TCP proxy that keeps every byte which a client sends: what a worker says to the portal, headers and bodies."""

import contextlib
import socket
import threading
from collections.abc import Callable

CHUNK_BYTES = 65_536


class Recorder:
    """Listens on a free port and passes everything on to `port`; `sent` holds what came from the clients' side."""

    def __init__(self, port: int) -> None:
        self.sent: list[bytes] = []
        self._target = ("127.0.0.1", port)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening; connections that are open end with their peers."""
        self._door.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the door was closed
            while True:
                client, _ = self._door.accept()
                portal = socket.create_connection(self._target)
                threading.Thread(target=_pass_on, args=(client, portal, self.sent.append), daemon=True).start()
                threading.Thread(target=_pass_on, args=(portal, client, len), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, note: Callable[[bytes], object]) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            note(chunk)
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
