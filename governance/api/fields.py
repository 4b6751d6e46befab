"""Fields of bodies: money as exact text, ISO days, references by public id or code, secrets that only go in."""

from __future__ import annotations

import re
import uuid
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from governance.api.errors import DetailWithParams, Refused
from governance.api.strict_json import WrittenFloat
from governance.findings import Finding
from governance.models import User
from governance.money import plain, read_amount
from governance.platforms import platform_key

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)


def refusal(code: str, message: str, **params: Any) -> Refused:
    return Refused(DetailWithParams.of(DjangoValidationError(message, code=code, params=params)))


def refusal_of(findings: list[Finding]) -> Refused:
    texts = [(each, f"{each.message} {each.remedy}".strip().replace("%", "%%")) for each in findings]
    errors = [DjangoValidationError(text, code=each.code, params=dict(each.params)) for each, text in texts]
    return Refused(DetailWithParams.of(DjangoValidationError(errors)))


@extend_schema_field(
    {"type": "string", "format": "decimal", "pattern": r"^\d{1,11}(\.\d{1,4})?$", "example": "1000.50"}
)
class AmountField(serializers.Field):
    """Money: "1000.50". A JSON number is read as it was written; separators are refused with the reading."""

    def to_internal_value(self, data: Any) -> Decimal:
        amount, findings = read_amount(_written(data), field=self.field_name or "budget")
        if findings or amount is None:
            raise refusal_of(findings)
        return amount

    def to_representation(self, value: Decimal) -> str:
        return plain(value)


def _written(data: Any) -> str:
    if isinstance(data, WrittenFloat):
        return data.text
    if isinstance(data, bool | list | dict):
        return repr(data)
    return str(data)


class PlatformField(serializers.ChoiceField):
    """A platform's key; "google" is google_ads, as at every door."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value((platform_key(data) if isinstance(data, str) else None) or data)


class DayField(serializers.DateField):
    """A day as YYYY-MM-DD and nothing else."""

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not _DAY.match(value):
            raise refusal("invalid_day", _("Write the day as YYYY-MM-DD, such as 2026-03-31."))
        return super().to_internal_value(value)


@extend_schema_field({"type": "string", "minLength": 1})
class ReferenceField(serializers.Field):
    """Another row, by public id or, where the model has one, by code; given out as code, else as public id.

    What the person can't see is answered like what there is not.
    """

    def __init__(self, model: type[Model], **options: Any) -> None:
        self.model = model
        super().__init__(**options)

    @property
    def coded(self) -> bool:
        return any(each.name == "code" for each in self.model._meta.get_fields())

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or not data.strip():
            raise refusal("invalid", _("Write its id, or its code."))
        known = self.context.setdefault("references", {})
        key = (self.model, data)
        if key not in known:
            known[key] = find_row(self.model, data, self.context["request"].user)
        if known[key] is None:
            what = str(self.model._meta.verbose_name)
            raise refusal(
                "does_not_exist",
                _("There is no %(what)s '%(text)s' that is yours."),
                what=what,
                text=data[:80],
            )
        return known[key]

    def to_representation(self, value: Any) -> str:
        return value.code if self.coded else str(value.public_id)


def find_row(model: type[Any], text: str, user: Any) -> Any | None:
    """The row with this public id or code among those that `user` sees and that are not archived."""
    rows = model.objects.visible_to(user).current()
    if (public_id := as_uuid(text)) is not None:
        return rows.filter(public_id=public_id).first()
    if "\x00" in text or not any(each.name == "code" for each in model._meta.get_fields()):
        return None
    return rows.filter(code=text).first()


def as_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@extend_schema_field({"type": "string", "example": "ana"})
class PersonField(serializers.Field):
    """A person by user name or public id; given out as user name."""

    def to_internal_value(self, data: Any) -> User:
        text = data if isinstance(data, str) and "\x00" not in data else ""
        people = User.objects.filter(is_active=True)
        public_id = as_uuid(text)
        found = (
            people.filter(public_id=public_id).first() if public_id else people.filter(username=text).first()
        )
        if found is None:
            raise refusal("does_not_exist", _("There is no person '%(text)s'."), text=str(data)[:80])
        return found

    def to_representation(self, value: User) -> str:
        return value.username


class SecretsField(serializers.DictField):
    """Credentials: a flat object of texts. They go in and never come out."""

    child = serializers.CharField(max_length=8000, allow_blank=True)

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "write_only": True})
