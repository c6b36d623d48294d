"""The API's own documentation, for signed-in people: the OpenAPI schema, Swagger, and a 404 for unknown addresses."""

from typing import Any

from django.http import Http404
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from bert_training.api.frame import ApiView, JsonErrors
from bert_training.api.permissions import IsPerson

# Swagger writes style attributes; nothing else on the portal needs them, so only this page allows them.
SWAGGER_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class Schema(JsonErrors, SpectacularAPIView):
    """GET schema."""

    permission_classes = [IsPerson]


class Documentation(JsonErrors, SpectacularSwaggerSplitView):
    """GET docs."""

    permission_classes = [IsPerson]
    url_name = "api:schema"
    template_name = "api/documentation.html"

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Allow Swagger its styles."""
        response["Content-Security-Policy"] = SWAGGER_POLICY
        return super().finalize_response(request, response, *args, **kwargs)


class UnknownAddress(ApiView):
    """Everything else under the API's prefix, with any method."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    schema = None  # type: ignore[assignment]  # nothing to document

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404 before any method is looked for."""
        raise Http404
