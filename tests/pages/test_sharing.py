"""Sharing on pages: forms that give a row to a team and take it away again, for who may share it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import ShareLevel
from bert_training.models import Dataset, DatasetShare, Run, RunShare, Team
from tests.pages.conftest import client_of
from tests.personas import make_user, ready_dataset, share


def levels(shares: type[DatasetShare] | type[RunShare]) -> dict[str, str]:
    """Return what is shared with whom."""
    return dict(shares._default_manager.values_list("team__name", "level"))


@pytest.mark.parametrize(("kind", "shares"), [("datasets", DatasetShare), ("runs", RunShare)])
def test_an_owner_shares_changes_and_takes_away(
    as_ana: Client, bruno: User, run: Run, team: Team, kind: str, shares: type[DatasetShare] | type[RunShare]
) -> None:
    page = f"/{kind}/{run.dataset_id if kind == 'datasets' else run.pk}"
    theirs = client_of(bruno)
    assert theirs.get(page).status_code == 404
    for level in ("view", "manage"):
        content = as_ana.post(f"{page}/shares", {"team": team.pk, "level": level}, follow=True).content.decode()
        assert f"Shared with {team.name}: {level}." in content
        assert (levels(shares), theirs.get(page).status_code) == ({team.name: level}, 200)
    as_ana.post(f"{page}/shares", {"team": team.pk, "action": "remove"})
    assert (levels(shares), theirs.get(page).status_code) == ({}, 404)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"team": "1"},
        {"team": "x", "action": "remove"},
        {"team": "9" * 30, "level": "view"},
        {"team": "9" * 5000, "action": "remove"},
    ],
)
def test_a_form_that_makes_no_sense_changes_nothing(as_ana: Client, dataset: Dataset, form: dict[str, str]) -> None:
    content = as_ana.post(f"/datasets/{dataset.pk}/shares", form, follow=True).content.decode()
    assert "Choose a team and what it may do." in content
    assert levels(DatasetShare) == {}


def test_with_a_team_of_others_nobody_shares_but_may_take_it_away(as_ana: Client, dataset: Dataset) -> None:
    theirs = Team.objects.create(name="contencioso")
    address = f"/datasets/{dataset.pk}/shares"
    as_ana.post(address, {"team": theirs.pk, "level": "view"})
    assert levels(DatasetShare) == {}
    share(dataset, theirs)
    assert "contencioso" in as_ana.get(f"/datasets/{dataset.pk}").content.decode()
    as_ana.post(address, {"team": theirs.pk, "action": "remove"})
    assert levels(DatasetShare) == {}


def test_who_may_only_use_a_row_sees_by_which_team_and_shares_it_with_nobody(
    bruno: User, dataset: Dataset, team: Team
) -> None:
    share(dataset, team, ShareLevel.USE)
    client = client_of(bruno)
    content = client.get(f"/datasets/{dataset.pk}").content.decode()
    assert "Shared with" in content
    assert f"/datasets/{dataset.pk}/shares" not in content
    assert client.post(f"/datasets/{dataset.pk}/shares", {"team": team.pk, "level": "manage"}).status_code == 403
    assert levels(DatasetShare) == {team.name: "use"}


def test_the_form_of_a_run_says_that_its_texts_are_not_shared(as_ana: Client, run: Run) -> None:
    assert "Sharing a run does not share its texts" in as_ana.get(f"/runs/{run.pk}").content.decode()
    assert "Sharing a run does not share" not in as_ana.get(f"/datasets/{run.dataset_id}").content.decode()


def test_who_belongs_to_no_team_is_told_who_makes_them(db: None) -> None:
    lone = make_user("lia")
    client = client_of(lone)
    own = ready_dataset(lone)
    assert "You belong to no team yet" in client.get(f"/datasets/{own.pk}").content.decode()
