"""The demo's people have random passwords, the roles of their jobs, and the reach that they are given."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from governance.access import reach_of
from governance.models import Brand
from omnitraffick.demo import people

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


def test_passwords_are_made_once_and_kept_for_their_owner_only() -> None:
    first = {login.person.username: login.password for login in people.ensure_people()}
    assert len(set(first.values())) == len(people.PEOPLE)
    assert all(len(password) >= 16 for password in first.values())
    assert stat.S_IMODE(people.logins_file().stat().st_mode) == 0o600
    assert {login.person.username: login.password for login in people.ensure_people()} == first


def test_a_changed_password_is_not_shown_as_if_it_held() -> None:
    people.ensure_people()
    user = people.user_named("planner")
    user.set_password("something else entirely")
    user.save()
    shown = {login.person.username: login.password for login in people.ensure_people()}
    assert shown["planner"] == ""
    assert shown["approver"]


def test_a_deleted_file_does_not_change_passwords() -> None:
    people.ensure_people()
    before = people.user_named("planner").password
    people.logins_file().unlink()
    assert {login.password for login in people.ensure_people()} == {""}
    assert people.user_named("planner").password == before


def test_each_person_has_their_role_and_no_more() -> None:
    people.ensure_people()
    assert people.user_named("admin").is_superuser
    for person in people.PEOPLE[1:]:
        user = people.user_named(person.username)
        assert not user.is_superuser
        assert [group.name for group in user.groups.all()] == [person.role]
    assert people.user_named("approver").has_perm("trafficking.approve_ticket")
    assert not people.user_named("trafficker").has_perm("trafficking.approve_ticket")


def test_reach_is_everything_but_for_the_planner_of_one_brand() -> None:
    dis = Brand(code="DIS", name="Disney")
    dis.save()
    people.ensure_people()
    people.grant_reach()
    people.grant_reach()  # again changes nothing
    assert reach_of(people.user_named("planner")).everything
    bound = reach_of(people.user_named("planner.dis"))
    assert not bound.everything
    assert bound.pairs == {(dis.pk, None)}


def test_without_the_brand_the_planner_of_one_brand_reaches_nothing() -> None:
    people.ensure_people()
    people.grant_reach()
    assert not reach_of(people.user_named("planner.dis")).pairs


def test_the_demo_refuses_a_production_installation(settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="PRODUCTION"):
        call_command("demo")
    assert not get_user_model().objects.exists()
