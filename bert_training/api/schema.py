"""Describes the API in OpenAPI: who may call, pydantic messages both ways, the error answers that every call has."""

from typing import Any

import pydantic
from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from bert_training.contract.messages import ErrorBody

COMMON_ERRORS = {
    "400": "The request is wrong; `errors` names each field.",
    "401": "No sign-in, or a token that is malformed, unknown, revoked or expired.",
    "403": "Known, but not allowed; the token's scope is too small; or the CSRF token is missing.",
    "404": "There is no such row, or the caller may not see it.",
    "405": "Not with this method.",
    "406": "Only JSON can be answered.",
    "429": "Too many requests, or a quota is used up; Retry-After says when to come back, where time helps.",
    "500": "A fault of the portal.",
    "503": "The database or the storage is away; Retry-After says when to come back.",
}
BODY_ERRORS = {"413": "The body is too large.", "415": "Not the content type that is needed, or compressed."}
WRITE_ERRORS = {"409": "Not in the present state of the row; `code` says which, and some codes add fields."}
WORKER_ERRORS = {"426": "X-Worker-Protocol is missing or too old; `min` and `max` say what is spoken."}
RANGE_ERRORS = {"416": "The range begins behind the end; `size` says how long the file is."}
METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
METHODS_THAT_WRITE = METHODS_WITH_BODY | {"DELETE"}

# The documentation is written for programmers and stays English; a sentence for users comes from the answer itself.


class ApiSchema(AutoSchema):
    """Adds the errors that every call can answer to those that a view declares, and the scope that a token needs."""

    def get_description(self) -> str:  # type: ignore[override]  # as the library's own class has it
        """Return the words of the view's method."""
        described: str = super().get_description()
        scope = getattr(self.view, "scopes", {}).get(self.method)
        return f"{described}\n\nA token needs the scope `{scope}`." if scope else described

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        found: dict[str, Any] = super()._get_response_bodies(direction)  # type: ignore[arg-type]
        errors = COMMON_ERRORS | getattr(self.view, "own_errors", {})
        errors |= WRITE_ERRORS if self.method in METHODS_THAT_WRITE else {}
        errors |= BODY_ERRORS if self.method in METHODS_WITH_BODY else {}
        for status, description in errors.items():
            if status not in found:
                answer = self._get_response_for_code(  # type: ignore[no-untyped-call]
                    ErrorBody, status, ["application/json"]
                )
                found[status] = {**answer, "description": description}
        return found


class MessageExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes a pydantic message: in a request a field with a default may be left out, in an answer it is there."""

    target_class = "pydantic.BaseModel"
    match_subclasses = True
    priority = 1  # before the extension of the library, which describes requests as if they were answers

    def get_name(self, auto_schema: AutoSchema, direction: str) -> str:
        """Call the component by the name of its class."""
        set_override(self.target, "suppress_collision_warning", True)
        name: str = self.target.__name__
        return name

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Return the JSON schema; messages inside it become components of their own."""
        model: type[pydantic.BaseModel] = self.target
        mode: Any = "validation" if direction == "request" else "serialization"
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}", mode=mode)
        for name, inner in schema.pop("$defs", {}).items():
            component = ResolvedComponent(  # type: ignore[no-untyped-call]
                name=name, type=ResolvedComponent.SCHEMA, object=name, schema=_as_openapi(inner)
            )
            auto_schema.registry.register_on_missing(component)
        described: dict[str, Any] = _as_openapi(schema)
        return described


def _as_openapi(schema: Any) -> Any:
    """Write as OpenAPI 3.0, which most client generators read: no null type, no rules about names of properties."""
    if isinstance(schema, list):
        return [_as_openapi(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: _as_openapi(value) for name, value in schema.items() if name != "propertyNames"}
    if "patternProperties" in schema:
        schema["additionalProperties"] = next(iter(schema.pop("patternProperties").values()))
    return _nullable(schema)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    options = schema.get("anyOf", [])
    real = [option for option in options if option != {"type": "null"}]
    if len(real) == len(options):
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    if len(real) > 1:
        return {**rest, "anyOf": real, "nullable": True}
    inner = {"allOf": real} if "$ref" in real[0] else real[0]
    return {**rest, **inner, "nullable": True}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the token of a worker or of a person."""

    target_class = "bert_training.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        words = "bertw_... of a worker, bertu_... of a person"
        return {"type": "http", "scheme": "bearer", "bearerFormat": words}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the session of the pages."""

    target_class = "bert_training.api.authentication.PortalSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        return {"type": "apiKey", "in": "cookie", "name": "session"}
