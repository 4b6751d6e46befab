"""The base of all bodies: what a client may write, and nothing else; rules are the models' own."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import models
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import SkipField

from governance.api.errors import DetailWithParams, Refused, fields_of_detail, invalid
from governance.api.fields import AmountField, DayField, PlatformField, refusal
from governance.money import MoneyField
from governance.platforms import Platform


def read_each(child: Any, rows: list[Any]) -> list[Any]:
    """Every element through `child`; Refused with the errors by position, parameters kept."""
    values, errors = [], {}
    for at, row in enumerate(rows):
        try:
            values.append(child.run_validation(row))
        except ValidationError as exc:
            errors[at] = exc.detail
    if errors:
        raise Refused(errors)
    return values


class StrictRows(serializers.ListSerializer):
    """A list of bodies within a body (`Meta.list_serializer_class`)."""

    MOST = 500

    def run_validation(self, data: Any = serializers.empty) -> Any:
        is_empty, data = self.validate_empty_values(data)
        return data if is_empty else self.to_internal_value(data)

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            raise refusal("not_a_list", _("Send a list."))
        if len(data) > self.MOST:
            raise refusal("max_length", _("Send at most %(most)s of them."), most=self.MOST)
        return read_each(self.child, data)


class StrictList(serializers.ListField):
    """A list of values within a body."""

    def run_child_validation(self, data: Any) -> list[Any]:
        return read_each(self.child, data)


class StrictBody(serializers.Serializer):
    """A body in which unknown and read-only keys are errors: `unknown_field`, `read_only`."""

    #: Keys that may stand in a body without being fields of the row (read elsewhere).
    ALSO: ClassVar[frozenset[str]] = frozenset()

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise refusal("not_an_object", _("Send an object."))
        errors = self._refused_keys(data)
        values: dict[str, Any] = {}
        for field in self._writable_fields:
            try:
                values[field.source] = field.run_validation(field.get_value(data))
            except ValidationError as exc:
                errors[field.field_name] = exc.detail
            except DjangoValidationError as exc:
                errors[field.field_name] = DetailWithParams.of(exc)
            except SkipField:
                continue
        if errors:
            raise Refused(errors)
        return values

    def _refused_keys(self, data: Mapping[str, Any]) -> dict[str, Any]:
        errors: dict[str, Any] = {}
        for key in data:
            field = self.fields.get(key)
            if key in self.ALSO:
                continue
            if field is None:
                errors[str(key)[:80]] = refusal("unknown_field", _("There is no such field.")).detail
            elif field.read_only:
                errors[key] = refusal(
                    "read_only", _("This is set by the system and can't be written.")
                ).detail
        return errors

    def run_validation(self, data: Any = serializers.empty) -> Any:
        is_empty, data = self.validate_empty_values(data)
        return data if is_empty else self.to_internal_value(data)

    def values_or_raise(self) -> dict[str, Any]:
        """The read values; Problem with errors per field."""
        if not self.is_valid():
            raise invalid(fields_of_detail(self._errors))
        return self.validated_data


class GovernedBody(StrictBody, serializers.ModelSerializer):
    """A governed row. Shapes are checked here, rules in the model's `full_clean` when it is saved."""

    ALSO = frozenset({"version"})  # compared by etags.require_current
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping, MoneyField: AmountField, models.DateField: DayField,
    }  # fmt: skip

    id = serializers.UUIDField(source="public_id", read_only=True)
    version = serializers.IntegerField(read_only=True, help_text="Rises with every change; also the ETag.")

    _built: ClassVar[dict[type, dict[str, Any]]] = {}

    def get_fields(self) -> dict[str, Any]:
        """Built once a class: reading the model anew for every request costs a millisecond."""
        kind = type(self)
        if kind not in self._built:
            self._built[kind] = super().get_fields()
        return copy.deepcopy(self._built[kind])

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, options = super().build_standard_field(field_name, model_field)
        options.pop("validators", None)  # the model's own, run by full_clean with the model's words
        if model_field.choices == Platform.choices:
            field_class = PlatformField
        if issubclass(field_class, AmountField):
            options = {key: value for key, value in options.items() if key in _COMMON}
        return field_class, options

    def get_validators(self) -> list[Any]:
        return []


_COMMON = frozenset({"required", "allow_null", "help_text", "label", "default"})


def apply_values(row: Any, values: Mapping[str, Any]) -> Any:
    for name, value in values.items():
        setattr(row, name, value)
    return row


def defaults_of(body: StrictBody, row: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a PUT that leaves fields out sets them to: the model's defaults."""
    own = {each.name: each for each in row._meta.concrete_fields}
    missing = (
        field.source for field in body._writable_fields if field.source not in given and not field.write_only
    )
    return {name: own[name].get_default() for name in missing if name in own}
