"""Pages by role and share: no button that would be refused, and what is refused all the same when it is sent."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import Role, ShareLevel
from bert_training.models import Dataset, Run, Team
from tests.checking import make_workbooks_here
from tests.pages.conftest import client_of
from tests.personas import make_run, make_user, make_worker, ready_dataset, share

VIEW, USE, MANAGE = ShareLevel


@pytest.fixture(autouse=True)
def _make_workbooks_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare what these tests are not about: a child process for each workbook."""
    make_workbooks_here(monkeypatch)


# What changes something: the address and from which level of a share on it opens; None for what only a role decides.
ADDRESSES = {
    "/datasets/new": None,
    "/runs/new": None,
    "/runs/new?dataset={dataset}": USE,
    "/datasets/{dataset}/repair": USE,
    "/datasets/{dataset}/delete": MANAGE,
    "/runs/{run}/reproduce": USE,
    "/runs/{run}/cancel": MANAGE,
    "/runs/{run}/finish": MANAGE,
    "/runs/{run}/repeats/cancel": MANAGE,
}


def share_all(run: Run, team: Team, level: ShareLevel) -> None:
    """Share a run and its dataset alike."""
    share(run, team, level)
    share(run.dataset, team, level)


def addresses(run: Run) -> dict[str, ShareLevel | None]:
    """Return the addresses of this run and its dataset."""
    return {path.format(run=run.pk, dataset=run.dataset_id): level for path, level in ADDRESSES.items()}


def links_of(client: Client, path: str) -> set[str]:
    """Return where the links and forms of a page lead."""
    response = client.get(path)
    assert response.status_code == 200, path
    return set(re.findall(r'(?:href|action)="([^"#]*)', response.content.decode()))


@pytest.mark.parametrize("level", [VIEW, USE, MANAGE])
def test_a_trainer_does_what_the_share_says_and_no_more(bruno: User, run: Run, team: Team, level: ShareLevel) -> None:
    share_all(run, team, level)
    client = client_of(bruno)
    for path, needed in addresses(run).items():
        allowed = needed is None or list(ShareLevel).index(level) >= list(ShareLevel).index(needed)
        assert (client.get(path).status_code == 200) == allowed, path
        if not allowed:
            assert client.post(path).status_code == 403, path


def test_a_viewer_reads_what_is_shared_and_is_offered_nothing_that_would_be_refused(
    vera: User, run: Run, team: Team
) -> None:
    share_all(run, team, MANAGE)
    client = client_of(vera)
    offered = set()
    for page in ("/", "/datasets", "/runs", "/queue", "/workers", f"/datasets/{run.dataset_id}", f"/runs/{run.pk}"):
        offered |= links_of(client, page)
    assert offered & addresses(run).keys() == set()
    refused = {path for path in offered if path.startswith("/") and client.get(path).status_code == 403}
    assert refused == set()
    for path in addresses(run):
        assert (client.get(path).status_code, client.post(path).status_code) == (403, 403), path


def test_what_is_offered_to_a_trainer_opens(bruno: User, run: Run, team: Team) -> None:
    share_all(run, team, VIEW)
    client = client_of(bruno)
    offered = links_of(client, f"/datasets/{run.dataset_id}") | links_of(client, f"/runs/{run.pk}")
    assert {path for path in offered if path.startswith("/") and client.get(path).status_code in (403, 404)} == set()


def test_who_has_no_role_is_told_what_to_do(run: Run) -> None:
    client = client_of(make_user("nova", roles=[]))
    assert "Your account has no role yet" in client.get("/").content.decode()
    for path in ("/datasets", "/runs", "/queue", "/workers", "/datasets/new", "/runs/new"):
        assert client.get(path).status_code == 403, path
    assert client.get(f"/runs/{run.pk}").status_code == 404


def test_an_operator_begins_at_queue_and_computers_and_sees_neither_data_nor_runs(otto: User, run: Run) -> None:
    client = client_of(otto)
    worker = make_worker("gpu-sala-3")
    content = client.get("/").content.decode()
    assert run.name in content
    assert worker.name in content
    assert f"/runs/{run.pk}" not in content
    assert links_of(client, "/") & {"/datasets", "/runs", "/datasets/new", "/runs/new"} == set()
    for path, status in {"/datasets": 403, "/runs": 403, f"/runs/{run.pk}": 404, "/runs/new": 403}.items():
        assert client.get(path).status_code == status, path


@pytest.mark.parametrize("kind", ["datasets", "runs"])
def test_lists_say_whose_a_row_is_by_which_team_it_came_and_filter_by_that(
    bruno: User, ana: User, team: Team, run: Run, kind: str
) -> None:
    make_run(bruno, ready_dataset(bruno, name="De Bruno"), name="De Bruno")
    make_run(ana, ready_dataset(ana, name="Só de Ana", request_digest="e" * 64), name="Só de Ana")
    client = client_of(bruno)
    assert ">Owner<" not in client.get(f"/{kind}").content.decode()
    share_all(run, team, VIEW)
    shared = (run.dataset if kind == "datasets" else run).name
    expected = {"": {shared, "De Bruno"}, "mine": {"De Bruno"}, "shared": {shared}, f"team-{team.pk}": {shared}}
    for whose, names in {**expected, "nonsense": expected[""]}.items():
        response = client.get(f"/{kind}", {"whose": whose})
        assert {row.name for row in response.context["page"].object_list} == names, whose
    content = client.get(f"/{kind}").content.decode()
    assert ">Owner<" in content
    assert f'title="shared with this team">{team.name}</span>' in content


def test_models_to_begin_from_are_those_that_may_be_used(
    bruno: User, finished_run: Run, team: Team, dataset: Dataset
) -> None:
    own = ready_dataset(bruno)
    form = f"/runs/new?dataset={own.pk}"
    for level, offered in ((VIEW, False), (USE, True)):
        share(finished_run, team, level)
        content = client_of(bruno).get(form).content.decode()
        assert (f"{finished_run.pk} · {finished_run.name}" in content) == offered, level


def test_only_staff_ask_for_a_simulation(ana: User, dataset: Dataset) -> None:
    both = make_user("dupla", roles=list(Role))
    for user in (ana, both):
        own = dataset if user == ana else ready_dataset(both)
        response = client_of(user).post(f"/runs/new?dataset={own.pk}", {"simulate": "on"})
        assert response.status_code == 403, user
