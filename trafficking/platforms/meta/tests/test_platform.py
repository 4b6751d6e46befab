"""What the registry and the rest of the house rely on."""

from __future__ import annotations

import ast
import re
import time
from dataclasses import replace
from pathlib import Path

import jsonschema_rs

from trafficking.platforms import meta
from trafficking.platforms.base import Operation
from trafficking.platforms.meta import PLATFORM, reference
from trafficking.platforms.meta.messages import MESSAGES
from trafficking.platforms.meta.tests.builders import big_ticket, ticket

FOLDER = Path(meta.__file__).parent


def raised_codes() -> set[str]:
    """Every literal finding code in the folder's sources."""
    found: set[str] = set()
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and file.name != "messages.py":
                found |= {f"meta.{node.value}", f"preflight.meta.{node.value}"}
    return found & set(MESSAGES)


def blocked_codes() -> set[str]:
    text = "".join(file.read_text() for file in FOLDER.glob("*.py"))
    return {f"meta.{code}" for code in re.findall(r"noted\.(?:block|warn)\(\s*\"([a-z_.]+)\"", text)}


def test_every_code_has_a_message_and_every_message_a_code() -> None:
    assert blocked_codes() <= set(MESSAGES)
    unused = set(MESSAGES) - raised_codes() - {"meta.dsa_beneficiary.missing", "meta.dsa_payor.missing"}
    assert not unused


def test_it_says_who_it_is() -> None:
    assert (PLATFORM.key, PLATFORM.api_version, PLATFORM.live_url) == (
        "meta",
        "v26.0",
        "https://graph.facebook.com",
    )
    assert list(PLATFORM.buying_types) == ["AUCTION", "ADVANTAGE_PLUS"]
    assert set(PLATFORM.credential_fields) == {"access_token", "app_secret"}
    assert set(PLATFORM.macros) == {"campaign_id", "ad_set_id", "ad_id"}


def test_the_config_schema_is_a_json_schema_with_a_description_of_unclear_options() -> None:
    validator = jsonschema_rs.validator_for(dict(PLATFORM.config_schema))
    assert validator.is_valid({"spend_cap": "10.00", "ad_set": {"advantage_audience": 0}})
    assert not validator.is_valid({"spend_cap": 10.0})
    assert not validator.is_valid({"daily_budget": "5"})


def test_every_option_is_used_by_compile() -> None:
    sources = "".join(
        (FOLDER / name).read_text()
        for name in ("compile.py", "campaign.py", "ad_set.py", "targeting.py", "creative.py")
    )
    for level, schema in reference.CONFIG_JSON.items():
        for option in schema["properties"]:
            assert f'"{option}"' in sources, f"{level}: {option}"


def test_check_finds_what_the_reference_forbids_and_names_the_ticket_field() -> None:
    operations = PLATFORM.compile(ticket()).operations

    def damaged(number: int, **changes: object) -> list[tuple[str, str]]:
        operation: Operation = operations[number]
        broken = replace(operation, body={**operation.body, **changes})
        return [(f.params["pointer"], f.field) for f in PLATFORM.check([broken])]

    assert damaged(0, objective="TRAFFIC") == [("/objective", "objective")]
    assert damaged(0, status="ACTIVE") == [("/status", "")]
    assert damaged(1, daily_budget=19.99) == [("/daily_budget", "ad_sets[0].budget")]
    assert damaged(1, surprise=1) == [("/", "")]
    assert damaged(1, lifetime_budget=5) != []
    assert PLATFORM.check(operations) == []


def test_a_ticket_of_two_ad_sets_and_six_ads_compiles_and_checks_in_milliseconds() -> None:
    snapshot = big_ticket()
    PLATFORM.check(PLATFORM.compile(snapshot).operations)
    best = min(_timed(snapshot) for _ in range(20))
    assert best < 0.02, f"{best * 1000:.1f} ms"


def _timed(snapshot: object) -> float:
    start = time.perf_counter()
    PLATFORM.check(PLATFORM.compile(snapshot).operations)  # type: ignore[arg-type]
    return time.perf_counter() - start
