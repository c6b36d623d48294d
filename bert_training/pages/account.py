"""The page of one's own account: who the portal thinks one is, what one may do, and where to change what."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from bert_training.access import has_role, may_train
from bert_training.contract.enums import Role
from bert_training.models.choices import Label
from bert_training.pages.requests import page, person
from bert_training.services.quota_words import shown_holders
from bert_training.services.quotas import uses_of

ROLES: dict[Role, Label] = {
    Role.READ: _("see datasets and runs, your own and those shared with your teams"),
    Role.TRAIN: _("upload spreadsheets, start runs and change what is yours"),
    Role.OPERATE: _("order the queue and mind the computers"),
}


@page
def overview(request: HttpRequest) -> HttpResponse:
    """Show the account of who asks."""
    user = person(request)
    allowed = [words for role, words in ROLES.items() if has_role(user, role)]
    quotas = shown_holders(uses_of(user)) if may_train(user) else []
    context = {"allowed": allowed, "teams": user.teams.all(), "quotas": quotas}
    return render(request, "account/overview.html", context)
