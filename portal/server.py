"""`python -m portal.server`: the portal under daphne, with small websocket messages.

Options: --host (127.0.0.1), --port (8000). A body that is too long is refused by its Content-Length
(`portal.middleware.body_limit`).
"""

import argparse

WEBSOCKET_MESSAGE_BYTES = 4096  # a viewer sends two cursors and nothing else


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="portal.server", description="Serve the portal.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    serve(host=options.host, port=options.port)


def serve(*, host: str, port: int) -> None:
    """Listen on one TCP port."""
    # Twisted installs its reactor when imported, so both imports belong to starting, not to reading this module.
    from daphne.endpoints import build_endpoint_description_strings
    from daphne.server import Server

    from portal.asgi import application

    Server(
        application=application,
        endpoints=build_endpoint_description_strings(host=host, port=port),
        websocket_max_message_size=WEBSOCKET_MESSAGE_BYTES,
        websocket_max_frame_size=WEBSOCKET_MESSAGE_BYTES,
        server_name="",
    ).run()


if __name__ == "__main__":
    main()
