"""`python -m portal.server`: the portal under daphne, with limits in front of the application (`portal.connections`).

Options: --host (127.0.0.1), --port (8000).
"""

import argparse
import sys

if sys.platform != "win32":
    import resource

WEBSOCKET_MESSAGE_BYTES = 4096  # a viewer sends two cursors and nothing else
# Twisted lets 50 wait to be accepted; of 1,000 connections at once the others tried again for up to 15 s.
WAITING_CONNECTIONS = 1024


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="portal.server", description="Serve the portal.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    serve(host=options.host, port=options.port)


def serve(*, host: str, port: int) -> None:
    """Listen on one TCP port."""
    # daphne.server installs the event loop when imported, and the portal's settings are read by portal.asgi: these
    # imports belong to starting, not to reading this module, and in this order.
    from daphne import server
    from daphne.endpoints import build_endpoint_description_strings

    from portal.asgi import application
    from portal.connections import PortalFactory
    from portal.flow import PortalServer
    from portal.sockets import PortalSocket

    allow_many_connections()
    server.HTTPFactory = PortalFactory  # Server.run takes the factory by this name and has no parameter for it
    server.WebSocketFactory.protocol = PortalSocket
    endpoints = build_endpoint_description_strings(host=host, port=port)
    PortalServer(
        application=application,
        endpoints=[f"{endpoint}:backlog={WAITING_CONNECTIONS}" for endpoint in endpoints],
        websocket_max_message_size=WEBSOCKET_MESSAGE_BYTES,
        websocket_max_frame_size=WEBSOCKET_MESSAGE_BYTES,
        server_name="",
    ).run()


def allow_many_connections() -> None:
    """Use all the open files that the system grants: the usual soft limit of 1,024 ends at as many idle connections."""
    if sys.platform != "win32":
        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
