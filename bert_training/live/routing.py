"""The address of the live websocket."""

from typing import Any

from django.urls import path

from bert_training.live.consumers import RunConsumer

# Any: Django's stubs want views here, those of channels want a type of their own; at run time it is a plain pattern.
_socket: Any = RunConsumer.as_asgi()
websocket_urlpatterns: list[Any] = [path("ws/runs/<int:run_id>", _socket, name="run-socket")]
