"""Sharing over the API: by whom it may be, with teams of their own, as a whole list or not at all."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from bert_training.contract.enums import ShareLevel
from bert_training.models import Dataset, DatasetProfile, DatasetShare, Run, RunShare, Team
from tests.api.conftest import Api, Caller, outcome_of
from tests.personas import make_user, ready_dataset, share
from tests.profiles import give_profile


@pytest.fixture
def other_team(carla: User) -> Team:
    """A team of carla's, not of ana's."""
    team = Team.objects.create(name="contencioso")
    team.members.add(carla)
    return team


def given(*shares: tuple[Team, str]) -> dict[str, Any]:
    return {"shares": [{"team": team.pk, "level": level} for team, level in shares]}


def rows_of(dataset: Dataset, run: Run) -> list[tuple[str, Dataset | Run]]:
    return [(f"/datasets/{dataset.pk}", dataset), (f"/runs/{run.pk}", run)]


def test_an_owner_shares_and_the_team_sees(
    api: Api, ana: User, bruno: User, team: Team, dataset: Dataset, run: Run
) -> None:
    owner, teammate = api.as_person(ana), api.as_person(bruno)
    for path, _row in rows_of(dataset, run):
        assert teammate.get(path).status_code == 404
        answer = owner.put(f"{path}/shares", given((team, "view")))
        expected = {"shares": [{"team": team.pk, "team_name": "procuradoria", "level": "view"}]}
        assert (answer.status_code, answer.json()) == (200, expected)
        assert teammate.get(path).status_code == 200
        assert teammate.get(f"{path}/shares").json() == expected


def test_the_list_replaces_the_one_before(api: Api, ana: User, team: Team, dataset: Dataset) -> None:
    second = Team.objects.create(name="segunda")
    second.members.add(ana)
    owner, path = api.as_person(ana), f"/datasets/{dataset.pk}/shares"
    owner.put(path, given((team, "view")))
    assert len(owner.put(path, given((team, "manage"), (second, "use"))).json()["shares"]) == 2
    assert set(DatasetShare.objects.values_list("team", "level")) == {(team.pk, "manage"), (second.pk, "use")}
    assert owner.put(path, given((second, "use"))).json()["shares"][0]["team"] == second.pk
    assert owner.put(path, given()).json() == {"shares": []}
    assert not DatasetShare.objects.exists()


def test_a_share_withdrawn_counts_at_once(api: Api, ana: User, bruno: User, team: Team, run: Run) -> None:
    owner, teammate, path = api.as_person(ana), api.as_person(bruno), f"/runs/{run.pk}"
    owner.put(f"{path}/shares", given((team, "view")))
    assert teammate.get(path).status_code == 200
    owner.put(f"{path}/shares", given())
    assert outcome_of(teammate.get(path)) == (404, "not_found")


def test_nobody_shares_with_a_team_that_is_not_theirs(
    api: Api, ana: User, root: User, team: Team, other_team: Team, dataset: Dataset, run: Run
) -> None:
    for path, _row in rows_of(dataset, run):
        refused = api.as_person(ana).put(f"{path}/shares", given((team, "view"), (other_team, "view")))
        assert outcome_of(refused) == (400, "invalid_field")
        assert [error["path"] for error in refused.json()["errors"]] == ["shares.1.team"]
        assert api.as_person(root).put(f"{path}/shares", given((other_team, "view"))).status_code == 200
    assert (DatasetShare.objects.count(), RunShare.objects.count()) == (1, 1)  # of a refused list nothing was kept


def test_what_staff_shared_may_be_kept_or_taken_back(
    api: Api, ana: User, other_team: Team, team: Team, dataset: Dataset
) -> None:
    share(dataset, other_team, ShareLevel.VIEW)
    owner, path = api.as_person(ana), f"/datasets/{dataset.pk}/shares"
    assert owner.put(path, given((other_team, "view"), (team, "use"))).status_code == 200
    assert outcome_of(owner.put(path, given((other_team, "manage")))) == (400, "invalid_field")
    assert owner.put(path, given((team, "use"))).status_code == 200
    assert outcome_of(owner.put(path, given((other_team, "view")))) == (400, "invalid_field")


@pytest.mark.parametrize("level", [ShareLevel.VIEW, ShareLevel.USE])
def test_only_who_manages_a_row_shares_it(
    api: Api, bruno: User, carla: User, team: Team, dataset: Dataset, run: Run, level: ShareLevel
) -> None:
    for path, row in rows_of(dataset, run):
        share(row, team, level)
        assert outcome_of(api.as_person(bruno).put(f"{path}/shares", given())) == (403, "forbidden")
        assert outcome_of(api.as_person(carla).put(f"{path}/shares", given())) == (404, "not_found")
        share(row, team, ShareLevel.MANAGE)
        assert api.as_person(bruno).put(f"{path}/shares", given((team, "manage"))).status_code == 200


def test_who_may_not_share_sees_the_shares_of_their_own_teams_only(
    api: Api, bruno: User, team: Team, other_team: Team, dataset: Dataset
) -> None:
    share(dataset, team)
    share(dataset, other_team)
    shown = api.as_person(bruno).get(f"/datasets/{dataset.pk}/shares").json()["shares"]
    assert [each["team_name"] for each in shown] == ["procuradoria"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "shares"),
        ({"shares": [{"team": 1}]}, "shares.0.level"),
        ({"shares": [{"team": 1, "level": "own"}]}, "shares.0.level"),
        ({"shares": [{"team": "1", "level": "view"}]}, "shares.0.team"),
        ({"shares": [{"team": 999_999, "level": "view"}]}, "shares.0.team"),
        ({"shares": [{"team": 2**63, "level": "view"}]}, "shares.0.team"),
        ({"shares": [{"team": 1, "level": "view"}, {"team": 1, "level": "use"}]}, "shares.1.team"),
    ],
)
def test_a_wrong_list_names_its_field(api: Api, ana: User, dataset: Dataset, body: dict[str, Any], path: str) -> None:
    refused = api.as_person(ana).put(f"/datasets/{dataset.pk}/shares", body)
    assert outcome_of(refused) == (400, "invalid_field")
    assert refused.json()["errors"][0]["path"] == path


def test_an_unknown_field_is_refused(api: Api, ana: User, dataset: Dataset) -> None:
    refused = api.as_person(ana).put(f"/datasets/{dataset.pk}/shares", {"shares": [], "owner": "carla"})
    assert outcome_of(refused) == (400, "unknown_field")


def test_a_repeat_goes_with_its_run(api: Api, ana: User, bruno: User, team: Team, run: Run) -> None:
    repeat = Run.objects.create(
        name="2", owner=ana, dataset=run.dataset, task=run.task, base_model=run.base_model, hyperparameters={},
        repeat_of=run, repeat_kind="seed", repeat_number=1,
    )  # fmt: skip
    owner = api.as_person(ana)
    assert outcome_of(owner.put(f"/runs/{repeat.pk}/shares", given((team, "view")))) == (400, "invalid_field")
    owner.put(f"/runs/{run.pk}/shares", given((team, "view")))
    assert len(api.as_person(bruno).get(f"/runs/{repeat.pk}/shares").json()["shares"]) == 1


def test_people_see_their_teams_and_staff_all(
    api: Api, ana: User, bruno: User, root: User, team: Team, other_team: Team
) -> None:
    page = api.as_person(ana).get("/teams").json()
    mine = {"id": team.pk, "name": "procuradoria", "description": "", "members": ["ana", "bruno"]}
    assert page["results"] == [mine]
    assert [entry["name"] for entry in api.as_person(root).get("/teams").json()["results"]] == [
        "contencioso",
        "procuradoria",
    ]


def test_without_a_role_there_are_no_teams(api: Api, team: Team) -> None:
    nobody = make_user("nobody", roles=[], teams=[team])
    assert api.as_person(nobody).get("/teams").json()["results"] == []


def test_the_number_of_queries_does_not_grow_with_teams_and_members(
    api: Api, ana: User, django_assert_max_num_queries: Any
) -> None:
    caller: Caller = api.as_person(ana)
    with django_assert_max_num_queries(6) as few:
        caller.get("/teams")
    for number in range(5):
        Team.objects.create(name=f"equipe {number}").members.add(ana, make_user(f"pessoa{number}"))
    with django_assert_max_num_queries(len(few)):
        assert caller.get("/teams").json()["count"] == 6


def test_a_profile_names_no_earlier_dataset_that_is_not_shared(
    api: Api, ana: User, bruno: User, team: Team, dataset: Dataset
) -> None:
    later = ready_dataset(ana, request_digest="later")
    profile = give_profile(later)
    counts = dict.fromkeys(("text_changed", "answer_changed", "deleted", "added"), 1)
    DatasetProfile.objects.update(content={**profile.content, "continues": {"dataset": dataset.pk, **counts}})
    share(later, team)
    path = f"/datasets/{later.pk}/profile"
    assert "continues" not in api.as_person(bruno).get(path).json()["findings"]
    share(dataset, team)
    for person in (ana, bruno):
        assert api.as_person(person).get(path).json()["findings"]["continues"]["dataset"] == dataset.pk
