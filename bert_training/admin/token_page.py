"""The page that shows a token once."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from bert_training.admin.shown_once import show_once

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
    """Show the token, and how to use it."""
    told = {"token_file": TOKEN_FILE, "api_url": settings.BASE_URL}
    return show_once(request, site, template="token_once.html", title=title, token=token, **told)
