"""People, roles and teams in the admin: who may change whose account, and what nobody can do by mistake."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django_q.models import Schedule

from bert_training.admin.site import MODEL_ADMINS
from bert_training.contract.enums import AuditKind, ShareLevel
from bert_training.models import AuditEvent, Run, Team, Worker
from tests.accounts.conftest import signed_in
from tests.admin.rows import list_of, page_of
from tests.pages.queries import queries_of
from tests.personas import make_user, share

PEOPLE = "/admin/auth/user/"


def page(person: User) -> str:
    return f"{PEOPLE}{person.pk}/change/"


def act(client: Client, action: str, *people: User, **more: str) -> str:
    form = {"action": action, "_selected_action": [person.pk for person in people], **more}
    return client.post(PEOPLE, form, follow=True).content.decode()


def form_of(client: Client, person: User, **changes: Any) -> dict[str, Any]:
    """Return what the browser would send of a person's page, with changes; a flag that is off is not sent."""
    form: Any = client.get(page(person)).context["adminform"].form
    values = {name: form[name].value() for name in form.fields} | changes
    rows = ("groups", "teams")
    values |= {name: [getattr(row, "pk", row) for row in values[name]] for name in rows if name in values}
    return {name: value for name, value in values.items() if value not in (None, False)}


@pytest.fixture
def helper(db: None) -> User:
    """A member of staff who is no superuser and holds the group that a migration made for them."""
    helper = make_user("helper", roles=[], is_staff=True)
    helper.groups.add(Group.objects.get(name="staff"))
    return helper


@pytest.fixture
def as_helper(helper: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(helper)
    return client


def test_roles_and_teams_of_a_person_are_given_on_one_page(staff: Client, carla: User, team: Team) -> None:
    viewer = Group.objects.get(name="viewer")
    staff.post(page(carla), form_of(staff, carla, groups=[viewer.pk], teams=[team.pk], first_name="Carla"))
    carla.refresh_from_db()
    assert (carla.first_name, [*carla.groups.all()], [*carla.teams.all()]) == ("Carla", [viewer], [team])
    event = AuditEvent.objects.get(kind=AuditKind.USER_CHANGED)
    assert event.facts["teams_added"] == [team.pk]
    assert "Carla" not in str(event.facts)


def test_the_group_of_staff_opens_every_list(as_helper: Client, team: Team, run: Run) -> None:
    for model in MODEL_ADMINS:
        meta = model._meta
        assert as_helper.get(f"/admin/{meta.app_label}/{meta.model_name}/").status_code == 200, meta.model_name
    assert as_helper.get(page_of("run", run.pk)).status_code == 200


def test_staff_give_roles_and_keep_the_groups_that_they_may_not_give(
    as_helper: Client, carla: User, team: Team
) -> None:
    powerful = Group.objects.create(name="mais")
    powerful.permissions.add(Permission.objects.get(codename="delete_run"))
    carla.groups.set([powerful])
    trainer, others = Group.objects.get(name="trainer"), Group.objects.get(name="staff")
    as_helper.post(page(carla), form_of(as_helper, carla, groups=[trainer.pk], teams=[team.pk]))
    assert set(carla.groups.all()) == {trainer, powerful}
    as_helper.post(page(carla), form_of(as_helper, carla, groups=[others.pk]))
    assert set(carla.groups.all()) == {trainer, powerful}


def test_staff_make_nobody_staff_or_superuser(as_helper: Client, helper: User, carla: User) -> None:
    wanted = Permission.objects.get(codename="delete_user")
    for person in (carla, helper):
        powers = (person.is_staff, person.is_superuser)
        form = form_of(as_helper, person) | {"is_staff": "on", "is_superuser": "on", "user_permissions": [wanted.pk]}
        as_helper.post(page(person), form)
        person.refresh_from_db()
        assert (person.is_staff, person.is_superuser) == powers
        assert wanted not in person.user_permissions.all()


def test_staff_change_no_superuser_and_no_other_staff(as_helper: Client, root: User) -> None:
    colleague = make_user("colega", is_staff=True)
    for person in (root, colleague):
        assert as_helper.get(page(person)).status_code == 200  # to be read
        assert as_helper.post(page(person), {"username": "meu", "is_active": ""}).status_code == 403
        act(as_helper, "deactivate", person)
        person.refresh_from_db()
        assert person.is_active
        assert person.username != "meu"


def test_staff_change_no_role(as_helper: Client) -> None:
    viewer = Group.objects.get(name="viewer")
    address = f"/admin/auth/group/{viewer.pk}/"
    for url in (f"{address}change/", f"{address}delete/", "/admin/auth/group/add/"):
        assert as_helper.post(url, {"name": "viewer", "permissions": []}).status_code == 403, url


@pytest.mark.parametrize("changes", [{"is_active": False}, {"is_superuser": False}, {"is_staff": False}])
def test_the_last_superuser_stays(staff: Client, root: User, changes: dict[str, bool]) -> None:
    said = staff.post(page(root), form_of(staff, root, **changes)).content.decode()
    assert "This is the last superuser" in said
    assert "This is the last superuser" in act(staff, "deactivate", root)
    make_user("outra", is_staff=True, is_superuser=True)
    staff.post(page(root), form_of(staff, root, **changes))
    root.refresh_from_db()
    assert not (root.is_active and root.is_superuser and root.is_staff)


def test_an_account_is_switched_off_and_on_and_that_is_noted(staff: Client, person: Client, ana: User) -> None:
    assert person.get("/").status_code == 200
    act(staff, "deactivate", ana)
    assert person.get("/").status_code == 302
    act(staff, "activate", ana)
    assert AuditEvent.objects.filter(kind=AuditKind.USER_CHANGED, target_id=ana.pk).count() == 2


@pytest.mark.parametrize("door", ["action", "form"])
def test_a_session_that_was_open_when_an_account_was_switched_off_stays_shut(
    staff: Client, ana: User, door: str
) -> None:
    before = signed_in("ana")
    if door == "action":
        act(staff, "deactivate", ana)
    else:
        staff.post(page(ana), form_of(staff, ana, is_active=False))
    assert before.get("/account").status_code == 302
    act(staff, "activate", ana)
    assert before.get("/account").status_code == 302
    assert signed_in("ana").get("/account").status_code == 200


def test_who_owns_data_is_not_deleted_and_the_page_says_what_to_do(staff: Client, run: Run, carla: User) -> None:
    said = act(staff, "delete_chosen", run.owner, carla, confirmed="yes")
    assert "Deactivate the account instead." in said
    assert "1 entry was deleted." in said
    assert [*User.objects.filter(username__in=["ana", "carla"])] == [run.owner]


def test_nobody_deletes_themselves(staff: Client, root: User) -> None:
    make_user("outra", is_staff=True, is_superuser=True)
    assert "Nobody deletes their own account." in act(staff, "delete_chosen", root, confirmed="yes")
    assert staff.post(f"{PEOPLE}{root.pk}/delete/").status_code == 403
    assert User.objects.filter(pk=root.pk).exists()


def test_libraries_bring_no_pages_of_accounts_with_them(staff: Client) -> None:
    for path in ("mfa/authenticator", "account/emailaddress", "socialaccount/socialtoken"):
        assert staff.get(f"/admin/{path}/").status_code == 404, path
    assert staff.get("/admin/django_q/failure/").status_code == 200


def test_nobody_has_any_function_called_by_a_schedule(staff: Client) -> None:
    for name in ("success", "failure", "schedule", "ormq"):
        assert staff.get(f"/admin/django_q/{name}/").status_code == 200, name
        assert staff.post(f"/admin/django_q/{name}/add/", {"func": "os.system"}).status_code == 403, name
    daily = Schedule.objects.earliest("pk")
    page_of_schedule = f"/admin/django_q/schedule/{daily.pk}/change/"
    assert staff.get(page_of_schedule).status_code == 200  # to be read
    assert staff.post(page_of_schedule, {"func": "os.system", "args": "'id'"}).status_code == 403


def test_the_lists_of_people_and_teams_cost_the_same_with_more_rows(staff: Client, team: Team) -> None:
    addresses = (PEOPLE, list_of("team"), "/admin/auth/group/")
    staff.get(PEOPLE)
    few = [len(queries_of(staff, address)) for address in addresses]
    for number in range(5):
        more = Team.objects.create(name=f"equipe {number}")
        make_user(f"pessoa{number}", teams=[team, more]).groups.add(Group.objects.create(name=f"papel {number}"))
    assert [len(queries_of(staff, address)) for address in addresses] == few


def test_accounts_come_by_invitation(staff: Client) -> None:
    assert staff.get(f"{PEOPLE}add/")["Location"] == "/admin/bert_training/invitation/add/"
    assert staff.get(f"{PEOPLE}1/password/").status_code in (302, 404)  # Django's page of passwords is not there


def test_a_team_shows_its_people_shares_and_workers(staff: Client, team: Team, run: Run, ana: User) -> None:
    share(run, team, ShareLevel.USE)
    worker = Worker.objects.create(name="gpu-da-equipe", team=team)
    content = staff.get(page_of("team", team.pk)).content.decode()
    for words in (run.name, "· use", worker.name):
        assert words in content, words
    form = {"name": "outra", "description": "", "members": [ana.pk]}
    staff.post(page_of("team", team.pk), form)
    team.refresh_from_db()
    assert (team.name, [*team.members.all()]) == ("outra", [ana])


def test_a_team_for_which_a_worker_works_alone_is_not_deleted(staff: Client, team: Team, run: Run) -> None:
    worker = Worker.objects.create(name="gpu-da-equipe", team=team)
    address = f"{list_of('team')}{team.pk}/delete/"
    assert "give them another team first" in staff.post(address, follow=True).content.decode()
    worker.team = None
    worker.save()
    share(run, team)
    staff.post(address)
    assert not Team.objects.exists()
    assert Run.objects.get() == run


@pytest.mark.parametrize("field", ["auth/user/?password", "bert_training/accesstoken/?digest"])
def test_no_list_tells_secrets_letter_by_letter(as_helper: Client, root: User, field: str) -> None:
    for guess in (root.password[:8], "no such beginning"):
        assert as_helper.get(f"/admin/{field}__startswith={guess}").status_code == 400


@pytest.mark.parametrize(
    "taken", [{"username": "ROOT"}, {"username": "Root@example.com"}, {"email": "ROOT@example.com"}]
)
def test_nobody_is_given_the_name_or_address_of_another(
    as_helper: Client, root: User, carla: User, taken: dict[str, str]
) -> None:
    answer = as_helper.post(page(carla), form_of(as_helper, carla, **taken))
    assert answer.status_code == 200
    carla.refresh_from_db()
    assert (carla.username, carla.email) == ("carla", "carla@example.com")


def test_an_address_with_capitals_signs_in_too(staff: Client, carla: User) -> None:
    staff.post(page(carla), form_of(staff, carla, email="Carla.Dias@Example.com"))
    assert signed_in("Carla.Dias@Example.com").get("/account").status_code == 200


def test_roles_are_offered_with_what_they_allow(as_helper: Client, carla: User) -> None:
    for address in (page(carla), "/admin/bert_training/invitation/add/"):
        shown = as_helper.get(address).content.decode()
        assert "operator: orders the queue and minds the computers, sees no texts" in shown


def test_the_list_of_people_offers_the_invitation_and_speaks_of_roles(staff: Client) -> None:
    shown = staff.get(PEOPLE).content.decode()
    assert "Invite a person" in shown
    assert "By roles" in shown
    assert "By staff" in shown
