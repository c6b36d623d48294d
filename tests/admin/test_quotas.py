"""Staff make exceptions for people and limits for teams; what was changed enters the audit."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import AuditKind
from bert_training.models import AuditEvent, Quota, Run, Team
from tests.admin.rows import list_of, page_of


def test_a_team_gets_a_limit_and_its_use_is_shown(staff: Client, run: Run, team: Team) -> None:
    staff.post(list_of("quota") + "add/", {"team": team.pk, "queued_runs": "2", "gpu_minutes": "0"})
    quota = Quota.objects.get()
    assert (quota.team, quota.queued_runs, quota.gpu_minutes, quota.datasets) == (team, 2, 0, None)
    event = AuditEvent.objects.get(kind=AuditKind.QUOTA_CHANGED)
    assert (event.target_kind, event.target_id) == ("quota", quota.pk)
    after = {name: event.facts[f"{name}_after"] for name in ("team", "queued_runs", "gpu_minutes")}
    assert after == {"team": team.pk, "queued_runs": 2, "gpu_minutes": 0}
    content = staff.get(page_of("quota", quota.pk)).content.decode()
    assert "1 of 2" in content
    assert "1, no limit" in content  # datasets
    team_page = staff.get(page_of("team", team.pk)).content.decode()
    assert "1 of 2" in team_page
    assert "procuradoria" in staff.get(list_of("quota")).content.decode()


def test_an_exception_of_a_person_is_changed_and_taken_away(staff: Client, ana: User) -> None:
    quota = Quota.objects.create(user=ana, datasets=1)
    staff.post(page_of("quota", quota.pk), {"datasets": ""})
    quota.refresh_from_db()
    assert (quota.user, quota.datasets) == (ana, None)
    staff.post(page_of("quota", quota.pk).replace("change", "delete"), {"post": "yes"})
    assert not Quota.objects.exists()
    facts = [event.facts for event in AuditEvent.objects.filter(kind=AuditKind.QUOTA_CHANGED).order_by("pk")]
    assert facts == [{"did": "changed", "fields": ["datasets"], "datasets_before": 1}, {"did": "deleted"}]


def test_the_page_of_a_person_shows_the_use_of_that_person_alone(
    staff: Client, ana: User, bruno: User, run: Run, team: Team
) -> None:
    Quota.objects.create(team=team, queued_runs=7)
    for person, shown in ((ana, "1 of 500"), (bruno, "0 of 500")):
        content = staff.get(f"/admin/auth/user/{person.pk}/change/").content.decode()
        assert (shown in content, "of 7" in content) == (True, False)


@pytest.mark.parametrize("both", [True, False])
def test_a_quota_is_of_a_person_or_a_team(staff: Client, ana: User, team: Team, both: bool) -> None:
    holders = {"user": ana.pk, "team": team.pk} if both else {}
    response = staff.post(list_of("quota") + "add/", {**holders, "datasets": "1"})
    assert "Choose a user or a team, not both." in response.content.decode()
    assert not Quota.objects.exists()


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2 GB", 2 * 1024**3),
        ("1,5 gb", 1_610_612_736),
        ("500MB", 524_288_000),
        ("2000000000", 2_000_000_000),
        ("", None),
    ],
)
def test_a_size_is_written_as_people_write_it(staff: Client, ana: User, written: str, stored: int | None) -> None:
    staff.post("/admin/bert_training/quota/add/", {"user": ana.pk, "storage_bytes": written})
    assert Quota.objects.get().storage_bytes == stored


@pytest.mark.parametrize("written", ["much", "2 XB", "-1 GB", "2 GB 3", "9999999999999 TB"])
def test_what_is_no_size_is_refused_with_an_example(staff: Client, ana: User, written: str) -> None:
    page = staff.post("/admin/bert_training/quota/add/", {"user": ana.pk, "storage_bytes": written})
    assert "such as 2 GB or 500 MB" in page.content.decode()
    assert not Quota.objects.exists()


@pytest.mark.parametrize(("stored", "shown"), [(2 * 1024**3, "2.0 GB"), (2_000_000_000, "2000000000")])
def test_a_size_that_is_saved_unseen_stays_the_same(staff: Client, ana: User, stored: int, shown: str) -> None:
    quota = Quota.objects.create(user=ana, storage_bytes=stored)
    page = f"/admin/bert_training/quota/{quota.pk}/change/"
    assert f'value="{shown}"' in staff.get(page).content.decode()
    staff.post(page, {"storage_bytes": shown})
    quota.refresh_from_db()
    assert quota.storage_bytes == stored
