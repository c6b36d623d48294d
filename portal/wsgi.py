"""The application for WSGI servers: HTTP only, for many workers beside the ASGI server. Starts the tick."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

from bert_training.services.leases import start_ticking  # noqa: E402

start_ticking()
