"""Repeats on the pages: asked for by a form, summed up as a spread, found under their run and nowhere else."""

from django.test import Client

from bert_training.contract.enums import RepeatKind
from bert_training.models import Run, Worker
from bert_training.services.repeating.repeats import repeat_run
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.pages.training import start, train


def ask(client: Client, run: Run, kind: str = "fold", count: object = 3) -> str:
    """Send the form; returns the page that it leads to."""
    return client.post(f"/runs/{run.pk}/repeats", {"kind": kind, "count": count}, follow=True).content.decode()


def page_of(client: Client, run: Run) -> str:
    return client.get(f"/runs/{run.pk}").content.decode()


def test_a_completed_run_offers_both_kinds_and_others_none(as_ana: Client, finished_run: Run, run: Run) -> None:
    content = page_of(as_ana, finished_run)
    assert 'value="fold"' in content
    assert 'value="seed"' in content
    assert "/repeats" not in page_of(as_ana, run)


def test_the_form_makes_the_repeats_and_shows_them(as_ana: Client, finished_run: Run) -> None:
    content = ask(as_ana, finished_run)
    assert "3 repeats are in the queue." in content
    assert "0 of 3 repeats have ended." in content
    for child in finished_run.repeats.all():
        assert f'href="/runs/{child.pk}"' in content
    assert 'value="fold"' not in content
    assert "This run was divided into 3 parts." in ask(as_ana, finished_run, "fold", 4)


def test_parts_that_are_missing_and_more_seeds_can_be_asked_for(as_ana: Client, finished_run: Run) -> None:
    ask(as_ana, finished_run, "seed", 2)
    assert 'value="seed"' in ask(as_ana, finished_run)
    finished_run.repeats.get(repeat_kind="fold", repeat_number=2).delete()
    assert 'value="fold"' in page_of(as_ana, finished_run)
    assert "1 repeat is in the queue." in ask(as_ana, finished_run)
    assert "These repeats were there already." in ask(as_ana, finished_run)


def test_a_wrong_form_changes_nothing(as_ana: Client, finished_run: Run) -> None:
    for kind, count in (("fold", 2), ("fold", "x"), ("seed", 11), ("fold", "")):
        assert "notice-error" in ask(as_ana, finished_run, kind, count)
    assert "notice-error" not in ask(as_ana, finished_run, "other", 3)
    assert not finished_run.repeats.exists()


def test_the_spread_is_shown_and_never_called_an_interval(as_ana: Client, finished_run: Run, worker: Worker) -> None:
    first, second, _third = repeat_run(finished_run, kind=RepeatKind.FOLD, count=3)
    for child, f1 in ((first, 0.6), (second, 0.7)):
        result = train(worker, child).result or {}
        result["metrics"]["f1_macro"] = f1
        Run.objects.filter(pk=child.pk).update(result=result)
    content = page_of(as_ana, finished_run)
    section = content.split('id="repeats"')[1].split("</section>")[0]
    assert "Spread over folds" in section
    assert "2 of 3 repeats have ended." in section
    for figure in ("65.0%", "standard deviation 7.1 points", "60.0%", "70.0%"):
        assert figure in section
    assert "interval" not in section.lower()
    in_portuguese = page_of(client_of(finished_run.owner, "pt-br"), finished_run)
    assert "intervalo" not in in_portuguese.split('id="repeats"')[1].split("</section>")[0].lower()


def test_a_repeat_leads_to_its_run_and_is_not_repeated(as_ana: Client, finished_run: Run, worker: Worker) -> None:
    child = train(worker, repeat_run(finished_run, kind=RepeatKind.FOLD, count=3)[0])
    content = page_of(as_ana, child)
    assert f'href="/runs/{finished_run.pk}#repeats"' in content
    assert 'value="fold"' not in content
    assert "Cross-validation: one part" in content


def test_all_repeats_are_canceled_from_the_page(as_ana: Client, finished_run: Run) -> None:
    repeat_run(finished_run, kind=RepeatKind.SEED, count=2)
    path = f"/runs/{finished_run.pk}/repeats/cancel"
    assert path in page_of(as_ana, finished_run)
    assert as_ana.get(path).status_code == 200
    content = as_ana.post(path, follow=True).content.decode()
    assert {child.status for child in finished_run.repeats.all()} == {"canceled"}
    assert path not in content


def test_strangers_can_do_nothing(as_carla: Client, finished_run: Run) -> None:
    assert as_carla.post(f"/runs/{finished_run.pk}/repeats", {"kind": "fold", "count": 3}).status_code == 404
    assert as_carla.post(f"/runs/{finished_run.pk}/repeats/cancel").status_code == 404
    assert not finished_run.repeats.exists()


def test_lists_leave_repeats_out(as_ana: Client, finished_run: Run) -> None:
    children = repeat_run(finished_run, kind=RepeatKind.FOLD, count=3)
    for path in ("/", "/runs", f"/datasets/{finished_run.dataset_id}"):
        content = as_ana.get(path).content.decode()
        assert finished_run.name in content
        assert all(f'href="/runs/{child.pk}"' not in content for child in children), path


def test_queue_and_computers_say_which_repeat_it_is(
    as_ana: Client, as_root: Client, finished_run: Run, worker: Worker
) -> None:
    first, *_others = repeat_run(finished_run, kind=RepeatKind.FOLD, count=3)
    start(worker, first)
    assert first.name.startswith(f"{finished_run.name}, ")
    assert first.name in as_ana.get("/queue").content.decode()
    assert first.name in as_root.get("/workers").content.decode()


def test_the_page_costs_as_many_queries_with_more_repeats(as_ana: Client, finished_run: Run) -> None:
    counts = []
    for count in (2, 6):
        repeat_run(finished_run, kind=RepeatKind.SEED, count=count)
        counts.append(len(queries_of(as_ana, f"/runs/{finished_run.pk}")))
    assert counts[0] == counts[1]
