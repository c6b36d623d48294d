"""The address of the live websocket."""

from django.urls import path

from bert_training.live.consumers import RunConsumer

websocket_urlpatterns = [
    path("ws/runs/<int:run_id>", RunConsumer.as_asgi(), name="run-socket"),  # type: ignore[arg-type]  # an ASGI app
]
