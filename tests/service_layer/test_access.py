"""The one place of rights: what lists show, what single rows allow and what is said of a row never disagree."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from bert_training import access
from bert_training.contract.enums import Role, ShareLevel
from bert_training.models import Dataset, Run, Team
from bert_training.services.datasets import delete_dataset
from bert_training.services.runs import cancel_run
from tests.personas import make_run, make_user, share

LEVELS = tuple(ShareLevel)
DATASET_DOORS = (access.visible_dataset, access.usable_dataset, access.changeable_dataset)
RUN_DOORS = (access.visible_run, access.usable_run, access.changeable_run)
ROLES: dict[str, tuple[Role, ...]] = {
    "none": (),
    "viewer": (Role.READ,),
    "trainer": (Role.READ, Role.TRAIN),
    "operator": (Role.OPERATE,),
}
# What a role makes of a level at which a row came to its team.
REACH: dict[str, dict[ShareLevel | None, ShareLevel | None]] = {
    "none": dict.fromkeys([None, *LEVELS]),
    "viewer": {None: None, **dict.fromkeys(LEVELS, ShareLevel.VIEW)},
    "trainer": {None: None, **{level: level for level in LEVELS}},
    "operator": dict.fromkeys([None, *LEVELS]),
}


def fresh(user: User) -> User:
    """Load somebody as the next request would."""
    return User.objects.get(pk=user.pk)


def outcome(ask: Callable[[], Any]) -> str:
    try:
        ask()
    except Http404:
        return "not found"
    except PermissionDenied:
        return "forbidden"
    return "allowed"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("given", [None, *LEVELS])
def test_lists_and_single_rows_say_the_same(
    team: Team, dataset: Dataset, run: Run, role: str, given: ShareLevel | None
) -> None:
    user = make_user("someone", roles=ROLES[role], teams=[team])
    for row in (dataset, run):
        if given is not None:
            share(row, team, given)
    reached = REACH[role][given]
    held = LEVELS[: LEVELS.index(reached) + 1] if reached else ()
    for row, rows_for, asks in (
        (dataset, access.datasets_visible_to, DATASET_DOORS),
        (run, access.runs_visible_to, RUN_DOORS),
    ):
        assert access.level_of(user, row) == reached
        for level, ask in zip(LEVELS, asks, strict=True):
            assert rows_for(user, level).filter(pk=row.pk).exists() is (level in held)
            expected = "allowed" if level in held else "forbidden" if held else "not found"
            assert outcome(partial(ask, user, row.pk)) == expected
    assert access.may_see_texts(user, run) is bool(held)


@pytest.mark.parametrize("role", ROLES)
def test_what_is_one_s_own_is_as_wide_as_one_s_role(ana: User, dataset: Dataset, run: Run, role: str) -> None:
    ana.user_permissions.clear()
    access_of = {"none": None, "operator": None, "viewer": ShareLevel.VIEW, "trainer": ShareLevel.MANAGE}
    owner = make_user("owner", roles=ROLES[role])
    Dataset.objects.update(owner=owner)
    Run.objects.update(owner=owner)
    for row in (Dataset.objects.get(), Run.objects.get()):
        assert access.level_of(owner, row) == access_of[role]


def test_staff_see_all_and_who_is_not_signed_in_or_inactive_nothing(root: User, dataset: Dataset, run: Run) -> None:
    assert access.level_of(root, run) is access.level_of(root, dataset) is ShareLevel.MANAGE
    root.is_active = False
    for user in (root, AnonymousUser()):
        assert access.level_of(user, run) is None
        assert not access.runs_visible_to(user).exists()
        assert not access.teams_visible_to(user).exists()
        assert access.roles_of(user) == frozenset()


def test_a_superuser_who_is_not_staff_has_the_roles_but_not_the_rows(run: Run) -> None:
    odd = make_user("odd", roles=[], is_superuser=True)
    assert access.roles_of(odd) == frozenset(Role)
    assert access.level_of(odd, run) is None


def test_a_team_that_is_left_takes_its_rows_along(bruno: User, team: Team, run: Run) -> None:
    share(run, team, ShareLevel.MANAGE)
    assert access.may_change(bruno, run)
    bruno.teams.clear()
    assert access.level_of(bruno, run) is None


def test_a_share_of_another_row_opens_nothing(ana: User, bruno: User, team: Team, run: Run) -> None:
    other = make_run(ana)
    share(other, team, ShareLevel.MANAGE)
    share(other.dataset, team, ShareLevel.MANAGE)
    assert access.level_of(bruno, run) is None
    assert list(access.runs_visible_to(bruno)) == [other]
    assert not access.may_see_texts(bruno, run)


def test_texts_of_a_deleted_dataset_are_nobody_s(ana: User, root: User, dataset: Dataset, run: Run) -> None:
    cancel_run(run)
    delete_dataset(dataset)
    gone = Run.objects.select_related("dataset").get(pk=run.pk)
    assert not access.may_see_texts(ana, gone)
    assert not access.may_see_texts(root, gone)
    assert outcome(lambda: access.repeatable_run(ana, run.pk)) == "allowed"  # the services say that it is gone


def test_roles_cost_one_query_for_each_loaded_person(ana: User, run: Run) -> None:
    person = fresh(ana)
    with CaptureQueriesContext(connection) as queries:
        assert access.may_read(person)
        assert access.may_train(person)
        assert not access.may_operate(person)
    assert len(queries) == 1
