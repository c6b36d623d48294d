"""The pictures of the admin's first page: what they count, their tables, their files, and what they cost."""

import codecs
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bert_training.charts.shapes import Chart, Table
from bert_training.models import Dataset, Job, JobAttempt, Run, Team
from tests.admin.rows import CANARY, fill_tables


def charts_of(staff: Client) -> dict[str, Chart]:
    return {chart.name: chart for chart in staff.get("/admin/").context["charts"]}


def table_of(chart: Chart) -> Table:
    assert chart.table is not None
    return chart.table


def test_without_any_run_there_is_no_picture(staff: Client) -> None:
    assert charts_of(staff) == {}


def test_runs_are_counted_on_the_day_on_which_they_ended(staff: Client, ana: User) -> None:
    today, before, old = fill_tables(ana, 3)
    yesterday = timezone.now() - timedelta(days=1)
    Run.objects.filter(pk=before.pk).update(status="completed", finished_at=yesterday)
    Run.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=40))
    table = table_of(charts_of(staff)["ended"])
    assert list(table.heads) == ["Day", "completed", "failed", "canceled"]
    assert [row[1:] for row in table.rows[:3]] == [["0", "1", "0"], ["1", "0", "0"], ["0", "0", "0"]]
    assert len(table.rows) == 29
    assert today.name != ""


def test_failures_are_counted_by_their_reason_in_words(staff: Client, ana: User) -> None:
    for run, code in zip(fill_tables(ana, 3), ("disk_full", "disk_full", "stalled"), strict=True):
        Run.objects.filter(pk=run.pk).update(error_code=code)
    rows = table_of(charts_of(staff)["failures"]).rows
    assert [row[1] for row in rows] == ["2", "1"]
    assert "disk is full" in rows[0][0]


def test_the_wait_of_a_day_is_its_average(staff: Client, ana: User) -> None:
    now = timezone.now()
    for run, minutes in zip(fill_tables(ana, 2), (10, 30), strict=True):
        Job.objects.filter(run=run).update(created_at=now - timedelta(minutes=minutes))
        JobAttempt.objects.filter(job__run=run).update(started_at=now)
    assert table_of(charts_of(staff)["waited"]).rows[0][1] == "20 min"


def test_the_example_is_no_work_of_the_house(staff: Client, ana: User) -> None:
    example, own = fill_tables(ana, 2)
    Run.objects.filter(pk=example.pk).update(is_example=True)
    now = timezone.now()
    Job.objects.filter(run=own).update(created_at=now - timedelta(minutes=10))
    JobAttempt.objects.filter(job__run__in=[own, example]).update(started_at=now)
    assert table_of(charts_of(staff)["waited"]).rows[0][1] == "10 min"
    assert sum(int(count) for row in table_of(charts_of(staff)["ended"]).rows for count in row[1:]) == 1


def test_gpu_time_and_storage_stand_by_person_and_team(staff: Client, ana: User, team: Team) -> None:
    fill_tables(ana, 2)
    Dataset.objects.update(bytes=1_500_000)
    charts = charts_of(staff)
    found = {name: [row[:2] for row in table_of(chart).rows] for name, chart in charts.items() if "-" in name}
    assert found == {
        "gpu-people": [["ana", "2"]],
        "gpu-teams": [[team.name, "2"]],
        "storage-people": [["ana", "3"]],
        "storage-teams": [[team.name, "3"]],
    }


@pytest.mark.usefixtures("filled")
def test_a_picture_and_its_figures_are_saved_as_files(staff: Client) -> None:
    picture, figures = (staff.get(f"/admin/charts/ended.{form}") for form in ("svg", "csv"))
    assert picture.content.startswith(b"<svg")
    assert figures.content.startswith(codecs.BOM_UTF8 + b"Day,completed")
    assert staff.get("/admin/charts/nothing.svg").status_code == 404


def test_names_from_outside_are_shown_as_text(staff: Client, ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(username=CANARY)
    fill_tables(ana, 1)
    assert CANARY not in staff.get("/admin/").content.decode()
    assert CANARY not in staff.get("/admin/charts/gpu-people.svg").content.decode()


def test_who_is_no_staff_gets_no_picture(person: Client) -> None:
    assert person.get("/admin/charts/ended.svg").status_code == 302


def test_the_pictures_cost_the_same_with_more_rows(staff: Client, ana: User) -> None:
    counts = []
    for rows in (1, 6):
        fill_tables(ana, rows)
        staff.get("/admin/charts/ended.csv")
        with CaptureQueriesContext(connection) as captured:
            staff.get("/admin/charts/ended.csv")
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 18
