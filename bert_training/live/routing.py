"""The address of the live websocket; a handshake at any other is denied."""

from typing import Any

from channels.security.websocket import WebsocketDenier
from django.urls import path, re_path

from bert_training.live.consumers import RunConsumer

# Any: Django's stubs want views here, those of channels want a type of their own; at run time it is a plain pattern.
_socket: Any = RunConsumer.as_asgi()
_denier: Any = WebsocketDenier.as_asgi()  # without it an unknown address is an exception in the log and a 500
websocket_urlpatterns: list[Any] = [path("ws/runs/<int:run_id>", _socket, name="run-socket"), re_path("", _denier)]
