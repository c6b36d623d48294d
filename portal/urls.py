"""Which address goes where: admin, API, pages, health."""

from django.contrib import admin
from django.urls import include, path

from bert_training.contract.limits import API_PREFIX
from portal import checks, health  # noqa: F401 - checks register themselves

handler400 = "portal.errors.bad_request"
handler403 = "portal.errors.permission_denied"
handler404 = "portal.errors.not_found"
handler500 = "portal.errors.server_error"

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("admin/", admin.site.urls),
    path(API_PREFIX.strip("/") + "/", include("bert_training.api.urls")),
    path("", include("bert_training.accounts.urls")),
    path("", include("bert_training.pages.urls")),
]
