"""What a person's token must be allowed for a call: the one place that says which scope an address and method need.

A scope only takes away: whether its holder may do a thing, and to which row, is still asked of access.py.
"""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from bert_training.contract.enums import ErrorCode, TokenScope
from bert_training.models import AccessToken
from bert_training.services.errors import ServiceError

if TYPE_CHECKING:
    from bert_training.api.frame import ApiView  # which imports this module while it loads


class ScopeMissing(ServiceError):
    """The token is good, but for less than this; `scope` says what it lacks."""

    http_status = 403


def scope_of(view: "ApiView", method: str) -> TokenScope:
    """Return the scope that a method of a view needs: what no view declares needs the highest."""
    return TokenScope.READ if method in SAFE_METHODS else view.scopes.get(method, TokenScope.MANAGE)


def require_scope(request: Request, view: "ApiView") -> None:
    """Raise ScopeMissing where a person's token is not for this; sessions and workers have no scopes."""
    token = request.auth
    if not isinstance(token, AccessToken) or token.user_id is None:
        return
    wanted = scope_of(view, request.method or "")
    if not token.allows(wanted):
        message = _('This token is not for that: it has the scope "%(scope)s", and "%(wanted)s" is needed.')
        words = {"scope": token.scope, "wanted": wanted.value}
        raise ScopeMissing(ErrorCode.SCOPE_MISSING, message % words, scope=wanted.value)
