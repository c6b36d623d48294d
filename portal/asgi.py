"""The application for ASGI servers: HTTP and the live websocket. Starts the tick that expires leases."""

import os

import django
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup(set_prefix=False)  # loads the models, which the imports below need

from bert_training.live.routing import websocket_urlpatterns  # noqa: E402
from bert_training.services.leases import start_ticking  # noqa: E402
from portal.handler import PortalHandler  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": PortalHandler(),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
start_ticking()
