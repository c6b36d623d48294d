"""The application for ASGI servers: HTTP and the live websocket. Starts the tick that expires leases."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
http_application = get_asgi_application()  # loads the models, which the imports below need

from bert_training.live.routing import websocket_urlpatterns  # noqa: E402
from bert_training.services.leases import start_ticking  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
start_ticking()
