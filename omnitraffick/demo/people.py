"""The demo's people: random passwords made once, kept in a file that only its owner can read."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from governance.models import Brand, Grant


@dataclass(frozen=True, slots=True)
class Person:
    """`brand` bounds their reach to one brand's code; "" is everything."""

    username: str
    role: str
    first_name: str
    brand: str = ""
    superuser: bool = False


PEOPLE = (
    Person("admin", "Administrator", "Alex", superuser=True),
    Person("data.admin", "Data admin", "Dana"),
    Person("planner", "Planner", "Priya"),
    Person("trafficker", "Trafficker", "Tomás"),
    Person("approver", "Approver", "Aiko"),
    Person("planner.dis", "Planner", "Daniel", brand="DIS"),
)


@dataclass(frozen=True, slots=True)
class Login:
    person: Person
    password: str  # "" where it was changed or is not kept


def logins_file() -> Path:
    return Path(settings.VAR_DIR) / "demo-logins.txt"


def ensure_people() -> list[Login]:
    """Make whoever is missing; return all with the passwords that still hold."""
    kept = _read_logins()
    for person in PEOPLE:
        if not get_user_model().objects.filter(username=person.username).exists():
            kept[person.username] = _create(person)
    _write_logins(kept)
    return [Login(person, _still_valid(person.username, kept.get(person.username, ""))) for person in PEOPLE]


def grant_reach() -> None:
    """Each person's grants, once the vocabulary that they name is there."""
    for person in PEOPLE:
        if person.superuser:
            continue
        user = user_named(person.username)
        brand = Brand.objects.filter(code=person.brand).first() if person.brand else None
        if person.brand and brand is None:
            continue  # no such brand in this vocabulary: no reach, rather than all of it
        if not Grant.objects.filter(user=user, brand=brand, market=None).exists():
            Grant(user=user, brand=brand, market=None).save()


def user_named(username: str) -> Any:
    return get_user_model().objects.get(username=username)


def _create(person: Person) -> str:
    password = secrets.token_urlsafe(12)
    users = get_user_model()
    with transaction.atomic():
        user = users(
            username=person.username,
            first_name=person.first_name,
            is_staff=True,
            is_superuser=person.superuser,
        )
        user.set_password(password)
        user.save()
        if not person.superuser:
            user.groups.add(Group.objects.get(name=person.role))
    return password


def _still_valid(username: str, password: str) -> str:
    return password if password and user_named(username).check_password(password) else ""


def _read_logins() -> dict[str, str]:
    try:
        lines = logins_file().read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    return {username: json.loads(password) for username, password in pairs}


def _write_logins(passwords: dict[str, str]) -> None:
    """Written beside the file and renamed: never half, never readable by others."""
    partial = logins_file().with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(
            "# Demo logins of this machine: user name, password. Made at the first run; delete at will.\n"
        )
        for username, password in passwords.items():
            file.write(f"{username} {json.dumps(password)}\n")
    partial.replace(logins_file())
