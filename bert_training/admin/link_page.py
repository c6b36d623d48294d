"""The page that shows a person's one-time link once, and says whether it was e-mailed."""

from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from bert_training.admin.shown_once import show_once
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
    """Show the link, and whether it was e-mailed."""
    told = {"is_sent": link.delivery is Delivery.SENT, "delivery": _delivery_words(link)}
    return show_once(request, site, template="link_once.html", title=title, link=link, **told)


def _delivery_words(link: NewLink) -> str:
    if link.delivery is Delivery.SENT:
        return _("It was also e-mailed to %(email)s.") % {"email": link.email}
    if link.delivery is Delivery.FAILED:
        return _("The e-mail to %(email)s could not be sent: hand the link over yourself.") % {"email": link.email}
    return _("No e-mail was sent, since the portal has no mail server (EMAIL_URL): hand the link over yourself.")
