"""The page that shows a person's one-time link once, and says whether it was e-mailed; never cached, as a token's."""

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from bert_training.services.emails import Delivery


@dataclass(frozen=True)
class NewLink:
    """A link just made. `email` is whom it is for, `back` where the page's one link leads."""

    url: str
    email: str
    delivery: Delivery
    back: str

    def __repr__(self) -> str:
        """Keep the link out of logs and error pages."""
        return f"NewLink({self.delivery})"


@sensitive_variables()  # error reports print local variables
def show_link_once(request: HttpRequest, site: AdminSite, *, link: NewLink, title: str) -> HttpResponse:
    """Render the link into the answer of the POST that made it: a redirect would have to carry it somewhere."""
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": title,
        "link": link,
        "is_sent": link.delivery is Delivery.SENT,
        "delivery": _delivery_words(link),
    }
    response = TemplateResponse(request, "admin/bert_training/link_once.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _delivery_words(link: NewLink) -> str:
    if link.delivery is Delivery.SENT:
        return _("It was also e-mailed to %(email)s.") % {"email": link.email}
    if link.delivery is Delivery.FAILED:
        return _("The e-mail to %(email)s could not be sent: hand the link over yourself.") % {"email": link.email}
    return _("No e-mail was sent, since the portal has no mail server (EMAIL_URL): hand the link over yourself.")
