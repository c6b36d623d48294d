"""What each level of sharing and each role lets somebody do over the API: no role, no right; no share, no row."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile

from bert_training.contract.enums import Role, ShareLevel
from bert_training.models import Dataset, Quota, Run, Team, Worker
from tests.api.conftest import Api, Caller, outcome_of
from tests.pages.training import train
from tests.personas import BASE_MODEL, XLSX, make_run, make_user, ready_dataset, share
from tests.workbooks import workbook_bytes

VIEW, USE, MANAGE = ShareLevel
FORBIDDEN, NOT_FOUND = (403, "forbidden"), (404, "not_found")
TWO_SEEDS = {"kind": "seed", "count": 2}
CONTENT = workbook_bytes("text-classification")  # once: a workbook written a second later has other bytes
Ask = Callable[[Caller], Any]


@pytest.fixture
def completed(run: Run, worker: Worker) -> Run:
    return train(worker, run)


def new_run(dataset: Dataset, **more: Any) -> Ask:
    return lambda caller: caller.post("/runs", {"dataset": dataset.pk, "base_model": BASE_MODEL, **more})


def upload(caller: Caller, path: str = "/datasets/upload") -> Any:
    file = SimpleUploadedFile("peticoes.xlsx", CONTENT, content_type=XLSX)
    return caller.upload(path, file=file, task="text-classification")


def check(caller: Caller) -> Any:
    return upload(caller, "/datasets/validate")


def test_training_on_a_dataset_needs_it_for_use(
    api: Api, bruno: User, carla: User, team: Team, dataset: Dataset
) -> None:
    teammate = api.as_person(bruno)
    for ask in (new_run(dataset), lambda caller: caller.post(f"/datasets/{dataset.pk}/repair", {"recipe": ["trim"]})):
        share(dataset, team, VIEW)
        assert outcome_of(ask(teammate)) == FORBIDDEN
        assert outcome_of(ask(api.as_person(carla))) == NOT_FOUND
        share(dataset, team, USE)
        assert ask(teammate).json().get("code") != "forbidden"
    assert new_run(dataset)(teammate).json()["owner"] == "bruno"


@pytest.mark.parametrize(
    ("path", "body", "needed", "less"),
    [("reproduce", {}, USE, VIEW), ("repeats", TWO_SEEDS, MANAGE, USE)],  # repeats are counted as the owner's
)
def test_a_run_is_trained_again_by_who_may_use_it_and_its_dataset(
    api: Api,
    bruno: User,
    carla: User,
    team: Team,
    completed: Run,
    path: str,
    body: dict[str, Any],
    needed: ShareLevel,
    less: ShareLevel,
) -> None:
    teammate = api.as_person(bruno)

    def ask(caller: Caller) -> Any:
        return caller.post(f"/runs/{completed.pk}/{path}", body)

    assert outcome_of(ask(teammate)) == NOT_FOUND
    share(completed, team, less)
    share(completed.dataset, team, USE)
    assert outcome_of(ask(teammate)) == FORBIDDEN
    share(completed, team, needed)
    share(completed.dataset, team, VIEW)
    assert outcome_of(ask(teammate)) == FORBIDDEN
    share(completed.dataset, team, USE)
    assert ask(teammate).status_code == 201
    assert outcome_of(ask(api.as_person(carla))) == NOT_FOUND


def test_who_repeats_a_run_of_another_reads_no_quota_of_theirs(
    api: Api, ana: User, bruno: User, team: Team, completed: Run
) -> None:
    secret = Team.objects.create(name="sindicância")
    secret.members.add(ana)
    for row in (completed, completed.dataset):
        share(row, team, MANAGE)
    for quota in (Quota.objects.create(team=secret, queued_runs=0), Quota.objects.create(user=ana, queued_runs=0)):
        answer = api.as_person(bruno).post(f"/runs/{completed.pk}/repeats", TWO_SEEDS)
        assert outcome_of(answer) == (429, "quota_exceeded")
        assert not {"team", "limit", "used"} & answer.json().keys()
        assert not any(word in answer.content.decode() for word in ("sindic", "ana"))
        assert "limit" in api.as_person(ana).post(f"/runs/{completed.pk}/repeats", TWO_SEEDS).json()
        quota.delete()


def test_going_on_from_a_model_needs_its_run_for_use(api: Api, bruno: User, team: Team, completed: Run) -> None:
    own = ready_dataset(bruno)
    ask, teammate = new_run(own, initial_run=completed.pk), api.as_person(bruno)
    assert outcome_of(ask(teammate)) == NOT_FOUND
    share(completed, team, VIEW)
    assert outcome_of(ask(teammate)) == FORBIDDEN
    share(completed, team, USE)
    assert ask(teammate).status_code != 403


@pytest.mark.parametrize("level", [VIEW, USE])
def test_changing_needs_a_row_to_manage(
    api: Api, bruno: User, carla: User, team: Team, dataset: Dataset, run: Run, level: ShareLevel
) -> None:
    teammate = api.as_person(bruno)
    asks: list[Ask] = [
        lambda caller: caller.patch(f"/runs/{run.pk}", {"name": "outro"}),
        lambda caller: caller.post(f"/runs/{run.pk}/finish"),
        lambda caller: caller.post(f"/runs/{run.pk}/cancel"),
        lambda caller: caller.post(f"/runs/{run.pk}/repeats/cancel"),
        lambda caller: caller.delete(f"/runs/{run.pk}"),
        lambda caller: caller.patch(f"/datasets/{dataset.pk}", {"name": "outro"}),
        lambda caller: caller.delete(f"/datasets/{dataset.pk}/manifest"),
        lambda caller: caller.delete(f"/datasets/{dataset.pk}"),
    ]
    for row in (run, dataset):
        share(row, team, level)
    assert [outcome_of(ask(teammate)) for ask in asks] == [FORBIDDEN] * len(asks)
    assert [outcome_of(ask(api.as_person(carla))) for ask in asks] == [NOT_FOUND] * len(asks)
    for row in (run, dataset):
        share(row, team, MANAGE)
    assert [ask(teammate).status_code for ask in asks] == [200, 409, 202, 202, 204, 200, 204, 204]


def test_a_viewer_looks_and_changes_nothing(api: Api, vera: User, team: Team, dataset: Dataset, completed: Run) -> None:
    """Whatever level a team is given, the role bounds it."""
    share(dataset, team, MANAGE)
    share(completed, team, MANAGE)
    viewer, run, rows = api.as_person(vera), f"/runs/{completed.pk}", f"/datasets/{dataset.pk}"
    for path in ("/runs", "/datasets", "/teams", "/queue/status", "/tasks", "/base-models"):
        assert viewer.get(path).status_code == 200
    for path in (run, rows):
        assert viewer.get(path).json()["may"] == "view"
    asks: list[Ask] = [
        upload,
        check,
        new_run(dataset),
        lambda caller: caller.post(f"{run}/reproduce", {}),
        lambda caller: caller.post(f"{run}/repeats", TWO_SEEDS),
        lambda caller: caller.post(f"{run}/cancel"),
        lambda caller: caller.delete(run),
        lambda caller: caller.post(f"{rows}/repair", {"recipe": ["trim"]}),
        lambda caller: caller.delete(rows),
        lambda caller: caller.put(f"{rows}/shares", {"shares": []}),
        lambda caller: caller.post("/workers/register", {"name": "gpu-9"}),
    ]
    assert [outcome_of(ask(viewer)) for ask in asks] == [FORBIDDEN] * len(asks)


def test_who_has_no_role_sees_nothing_not_even_their_own(api: Api, team: Team) -> None:
    nobody = make_user("nobody", teams=[team])
    dataset = ready_dataset(nobody)
    run = make_run(nobody, dataset)
    nobody.user_permissions.clear()
    caller = api.as_person(nobody)
    for path in (f"/runs/{run.pk}", f"/datasets/{dataset.pk}", f"/runs/{run.pk}/logs", f"/runs/{run.pk}/shares"):
        assert outcome_of(caller.get(path)) == NOT_FOUND
    assert [caller.get(path).json()["count"] for path in ("/runs", "/datasets", "/teams")] == [0, 0, 0]
    for path in ("/queue/status", "/tasks", "/base-models", "/workers"):
        assert outcome_of(caller.get(path)) == FORBIDDEN


def test_an_operator_sees_the_queue_and_the_workers_and_no_rows(
    api: Api, otto: User, dataset: Dataset, run: Run, worker: Worker
) -> None:
    caller = api.as_person(otto)
    assert caller.get("/workers").json()["count"] == 1
    assert caller.get("/queue/status").json()["queued"] == 1
    assert [caller.get(path).json()["count"] for path in ("/runs", "/datasets")] == [0, 0]
    assert outcome_of(caller.get(f"/runs/{run.pk}")) == NOT_FOUND
    assert outcome_of(caller.get(f"/datasets/{dataset.pk}/download")) == NOT_FOUND
    assert outcome_of(caller.post("/workers/register", {"name": "gpu-9"})) == FORBIDDEN
    assert outcome_of(upload(caller)) == FORBIDDEN


def test_an_operator_who_trains_orders_a_run_and_simulates_nothing(api: Api, dataset: Dataset) -> None:
    olga = make_user("olga", roles=[*Role])
    own, caller = ready_dataset(olga), api.as_person(olga)
    assert new_run(own, priority=5)(caller).status_code == 201
    assert outcome_of(new_run(own, simulate=True)(caller)) == FORBIDDEN


def test_a_role_comes_from_a_group_too(api: Api, dataset: Dataset, team: Team) -> None:
    gil = make_user("gil", roles=[], teams=[team])
    share(dataset, team, USE)
    assert outcome_of(api.as_person(gil).get(f"/datasets/{dataset.pk}")) == NOT_FOUND
    gil.groups.add(Group.objects.get(name="viewer"))
    assert api.as_person(gil).get(f"/datasets/{dataset.pk}").json()["may"] == "view"
    gil.groups.add(Group.objects.get(name="trainer"))
    assert api.as_person(gil).get(f"/datasets/{dataset.pk}").json()["may"] == "use"


def test_the_detail_says_what_the_caller_may_do(
    api: Api, ana: User, bruno: User, root: User, team: Team, dataset: Dataset, run: Run
) -> None:
    share(run, team, USE)
    share(dataset, team, VIEW)
    for user, shown in ((ana, ("manage", "manage")), (root, ("manage", "manage")), (bruno, ("use", "view"))):
        caller = api.as_person(user)
        run_shown, dataset_shown = caller.get(f"/runs/{run.pk}").json(), caller.get(f"/datasets/{dataset.pk}").json()
        assert (run_shown["may"], dataset_shown["may"]) == shown
        assert [each["team_name"] for each in run_shown["shares"]] == ["procuradoria"]


def test_of_two_teams_the_higher_level_counts(api: Api, bruno: User, team: Team, dataset: Dataset) -> None:
    second = Team.objects.create(name="segunda")
    second.members.add(bruno)
    share(dataset, team, MANAGE)
    share(dataset, second, VIEW)
    assert api.as_person(bruno).get(f"/datasets/{dataset.pk}").json()["may"] == "manage"
    assert api.as_person(bruno).get("/datasets").json()["count"] == 1


def test_an_upload_finds_the_same_one_only_where_it_may_be_used(
    api: Api, ana: User, bruno: User, team: Team, checked_here: None
) -> None:
    """Returning what may only be looked at would leave the uploader with nothing to train on."""
    of_ana = upload(api.as_person(ana)).json()["id"]
    share(Dataset.objects.get(pk=of_ana), team, USE)
    assert upload(api.as_person(bruno)).json()["id"] == of_ana
    share(Dataset.objects.get(pk=of_ana), team, VIEW)
    response = upload(api.as_person(bruno))
    assert (response.status_code, response.json()["owner"], response.json()["id"] != of_ana) == (201, "bruno", True)


def test_what_a_row_came_from_is_named_only_to_who_may_see_it(
    api: Api, ana: User, bruno: User, team: Team, dataset: Dataset, run: Run
) -> None:
    """An id is a row that there is: to who may not see it, there is none."""
    copy = make_run(ana, dataset)
    made = ready_dataset(ana, derived_from=dataset, request_digest="d" * 64)
    Run.objects.filter(pk=copy.pk).update(reproduced_from=run, initial_run=run)
    share(copy, team)
    share(made, team)
    caller, path = api.as_person(bruno), f"/runs/{copy.pk}"
    for shown in (caller.get(path).json(), caller.get("/runs").json()["results"][0]):
        assert (shown["reproduced_from"], shown["initial_run"]) == (None, None)
    for shown in (caller.get(f"/datasets/{made.pk}").json(), caller.get("/datasets").json()["results"][0]):
        assert shown["derived_from"] is None
    share(run, team)
    share(dataset, team)
    for shown in (caller.get(path).json(), caller.get("/runs").json()["results"][0]):
        assert (shown["reproduced_from"], shown["initial_run"]) == (run.pk, run.pk)
    assert caller.get(f"/datasets/{made.pk}").json()["derived_from"] == dataset.pk


def test_a_comparison_with_a_run_that_may_not_be_seen_is_none(
    api: Api, ana: User, bruno: User, team: Team, dataset: Dataset, run: Run
) -> None:
    copy = make_run(ana, dataset)
    Run.objects.filter(pk=copy.pk).update(reproduced_from=run)
    share(copy, team)
    caller = api.as_person(bruno)
    assert caller.get(f"/runs/{copy.pk}/reproduction").json()["against"] is None
    assert outcome_of(caller.get(f"/runs/{copy.pk}/reproduction?against={run.pk}")) == NOT_FOUND
