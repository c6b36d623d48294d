"""The page that shows a token once: never cached, and the token never enters a session, cookie, address or history."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_variables

TOKEN_FILE = "token.txt"  # noqa: S105 - the name of a file that the reader of the page makes


@dataclass(frozen=True)
class NewToken:
    """A token just made. `holder` is whose it is, `back` where the page's one link leads."""

    text: str
    prefix: str
    holder: str
    back: str
    is_worker: bool

    def __repr__(self) -> str:
        """Keep the token out of logs and error pages."""
        return f"NewToken({self.prefix}...)"


@sensitive_variables()  # error reports print local variables
def show_token_once(request: HttpRequest, site: AdminSite, *, token: NewToken, title: str) -> HttpResponse:
    """Render the token into the answer of the POST that made it: a redirect would have to carry it somewhere."""
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": title,
        "token": token,
        "token_file": TOKEN_FILE,
        "api_url": settings.BASE_URL,
    }
    response = TemplateResponse(request, "admin/bert_training/token_once.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response
