"""Looking for rows in large tables: a few bounded look-ups, each of which an index answers.

A word that is the code of a brand, a market or a channel means that brand, market or channel. All other words must
stand together in the row's own texts, or in those of one row that it belongs to. The newest five hundred are found;
who looks for older ones gives one word more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anyascii import anyascii
from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet
from django.utils.text import smart_split, unescape_string_literal

from governance.search_indexes import searched_by_part, ways_of

MOST_FOUND = 500
MOST_WORDS = 8
LONGEST_WORD = 200


def find(rows: QuerySet, text: str, paths: Sequence[str], user: Any) -> QuerySet:
    """`rows` that fit `text`. `paths` are look-ups of a list ("campaign__name", "campaign__brand__code")."""
    words = words_of(text)
    codes = [path for path in paths if path.endswith("__code")]
    words, rows = _by_codes(rows, words, codes)
    if not words:
        return rows
    found: set[Any] = set()
    for owner, columns in _by_owner(path for path in paths if path not in codes).items():
        found.update(_own(rows, words, columns) if not owner else _through(rows, words, owner, columns, user))
    return rows.filter(pk__in=sorted(found, reverse=True)[:MOST_FOUND])


def words_of(text: str) -> list[str]:
    """The words of a search, those in quotes together."""
    words = []
    for word in smart_split(text.replace("\x00", "")):
        if word[0] in "\"'" and word[0] == word[-1] and len(word) > 1:
            word = unescape_string_literal(word)
        if word := word.strip()[:LONGEST_WORD]:
            words.append(word)
    return words[:MOST_WORDS]


def _by_codes(rows: QuerySet, words: list[str], paths: list[str]) -> tuple[list[str], QuerySet]:
    """(the words that are no code, the rows of those that are one)"""
    meant: dict[str, Q] = {}
    for path in paths:
        owner = path.removesuffix("__code")
        coded = _model_at(rows.model, owner).objects.filter(code__in=[word.upper() for word in words])  # type: ignore[attr-defined]
        for code, pk in coded.values_list("code", "pk"):
            meant[code] = meant.get(code, Q()) | Q(**{f"{owner}_id": pk})
    for condition in meant.values():
        rows = rows.filter(condition)
    return [word for word in words if word.upper() not in meant], rows


def _by_owner(paths: Any) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for path in paths:
        owner, _, column = path.rpartition("__")
        grouped.setdefault(owner, []).append(column)
    return grouped


def _own(rows: QuerySet, words: list[str], columns: list[str]) -> list[Any]:
    condition = _together(rows.model, words, columns)
    return (
        list(rows.filter(condition).order_by("-pk").values_list("pk", flat=True)[:MOST_FOUND])
        if condition
        else []
    )


def _through(rows: QuerySet, words: list[str], owner: str, columns: list[str], user: Any) -> list[Any]:
    model = _model_at(rows.model, owner)
    all_of_them = model._default_manager.all()
    theirs = all_of_them.visible_to(user) if hasattr(all_of_them, "visible_to") else all_of_them
    owners = _own(theirs, words, columns)
    if not owners:
        return []
    mine = rows.filter(**{f"{owner}__in": owners}).order_by("-pk")
    return list(mine.values_list("pk", flat=True)[:MOST_FOUND])


def _together(model: type[Model], words: list[str], columns: list[str]) -> Q | None:
    """Every word in one of the columns; None where no column can hold one of them."""
    if len(words) > 1:  # an id is one word; beside it no index would serve the others together
        columns = [column for column in columns if ways_of(model).get(column) != "WHOLE"]
    every = Q()
    for word in words:
        any_of = Q()
        for column in columns:
            any_of |= _looked_for(model._meta.get_field(column), word)  # type: ignore[arg-type]
        if not any_of:
            return None
        every &= any_of
    return every


def _looked_for(column: Field, word: str) -> Q:
    way = ways_of(column.model).get(column.name, "PART")
    if way == "WHOLE":
        return _exactly(column, word)
    if way == "START" or len(word) < 3 or not searched_by_part("default"):
        return Q(**{f"{column.name}__istartswith": word})  # no trigram fits in two letters
    plain = anyascii(word)
    condition = Q(**{f"{column.name}__icontains": word})
    # governed names are transliterated
    return condition if plain == word or not plain else condition | Q(**{f"{column.name}__icontains": plain})


def _exactly(column: Field, word: str) -> Q:
    try:
        return Q(**{column.name: column.to_python(word)})
    except ValidationError:  # no UUID
        return Q()


def _model_at(model: type[Model], path: str) -> type[Model]:
    for step in path.split("__"):
        model = model._meta.get_field(step).related_model  # type: ignore[assignment, union-attr]
    return model
