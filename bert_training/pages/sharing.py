"""With which teams a dataset or a run is shared: a section of its page, and the forms on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from bert_training import access
from bert_training.contract.enums import ShareLevel
from bert_training.models import Dataset, Run, Team
from bert_training.models.choices import SHARE_LEVEL_LABELS, share_level_choices
from bert_training.pages.requests import action, number_of, person
from bert_training.services.errors import ServiceError
from bert_training.services.sharing import share_with

MEANINGS = {
    Dataset: {
        ShareLevel.VIEW: gettext_noop("see it with its texts, download it"),
        ShareLevel.USE: gettext_noop("also start runs on it"),
        ShareLevel.MANAGE: gettext_noop("also change its split, share it and delete it"),
    },
    Run: {
        ShareLevel.VIEW: gettext_noop("see settings, log and figures"),
        ShareLevel.USE: gettext_noop("also begin runs from its model and, where they may use its data, reproduce it"),
        ShareLevel.MANAGE: gettext_noop("also repeat it, cancel it, share it and delete it"),
    },
}


class ShareForm(forms.Form):
    """One team, and what it may do."""

    team = forms.TypedChoiceField(label=gettext_lazy("Team"), coerce=int)
    level = forms.ChoiceField(label=gettext_lazy("What it may do"), choices=share_level_choices)

    def __init__(self, teams: Iterable[Team], data: Any = None) -> None:
        super().__init__(data, auto_id="share_%s")
        self.fields["team"].choices = [(team.pk, team.name) for team in teams]  # type: ignore[attr-defined]


@dataclass(frozen=True)
class ShownShare:
    """A team with what it may do. may_change: whether the reader belongs to it; others can only take it away."""

    team: Team
    level: str
    label: str
    may_change: bool


def shares_context(user: User, row: Dataset | Run) -> dict[str, Any]:
    """Return what the section says; nothing where a row came by no team and its reader cannot share it."""
    may_share = access.may_change(user, row) and getattr(row, "repeat_of_id", None) is None
    shares = list(access.shares_visible_to(user, row))
    if not may_share and not shares:
        return {}
    teams = list(access.teams_visible_to(user)) if may_share else []
    own, given = {team.pk for team in teams}, {share.team_id for share in shares}
    left = [team for team in teams if team.pk not in given]
    kind = "dataset" if isinstance(row, Dataset) else "run"
    return {
        "sharing": {
            "kind": kind,
            "url": reverse(f"pages:{kind}-share", args=[row.pk]),
            "shares": [_shown(share, own) for share in shares],
            "may_share": may_share,
            "form": ShareForm(left) if left else None,
            "has_teams": bool(teams),
            "levels": share_level_choices(),
            "meanings": [(SHARE_LEVEL_LABELS[level], _(words)) for level, words in MEANINGS[type(row)].items()],
        }
    }


def _shown(share: Any, own: set[int]) -> ShownShare:
    return ShownShare(share.team, share.level, share.get_level_display(), share.team_id in own)


@action
def share_dataset(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a dataset to a team, at another level, or take it away."""
    _share(request, access.changeable_dataset(person(request), pk))
    return redirect(reverse("pages:dataset", args=[pk]) + "#shares")


@action
def share_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a run to a team, at another level, or take it away."""
    _share(request, access.changeable_run(person(request), pk))
    return redirect(reverse("pages:run", args=[pk]) + "#shares")


def _share(request: HttpRequest, row: Dataset | Run) -> None:
    user = person(request)
    levels = {share.team_id: ShareLevel(share.level) for share in access.shares_visible_to(user, row)}
    words = _changed(request, levels, user)
    if not words:
        messages.error(request, _("Choose a team and what it may do."))
        return
    try:
        share_with(row, levels, actor=user)
    except ServiceError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, words)


def _changed(request: HttpRequest, levels: dict[int, ShareLevel], user: User) -> str:
    """Change the levels as the form says. Returns that in words, "" where the form says nothing of sense."""
    if request.POST.get("action") == "remove":
        team = number_of(request.POST.get("team", ""))
        taken = None if team is None else levels.pop(team, None)
        return "" if taken is None else _("It is no longer shared with this team.")
    teams = {team.pk: team for team in access.teams_visible_to(user)}
    form = ShareForm(teams.values(), request.POST)
    if not form.is_valid():
        return ""
    given, level = form.cleaned_data["team"], ShareLevel(form.cleaned_data["level"])
    levels[given] = level
    return _("Shared with %(team)s: %(level)s.") % {"team": teams[given].name, "level": SHARE_LEVEL_LABELS[level]}
