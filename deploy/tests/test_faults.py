"""Random schedules of faults, kills and racing workers; benchmarks/faults.py runs them by the thousand."""

from __future__ import annotations

from unittest import mock

import pytest

from deploy import engine, proof
from deploy.models import Operation
from deploy.sandboxes import sandbox_keys
from deploy.tests.explorer import Explorer

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SEEDS = range(1_000_000, 1_000_025)


@pytest.mark.parametrize("key", sandbox_keys())
def test_every_intent_ends_as_one_object_or_as_an_open_question(key):
    explorer = Explorer(key, width=3)
    with explorer.prepared():
        for seed in SEEDS:
            result = explorer.explore(seed)
            assert result.wrong == [], (seed, result.label, result.trace[-8:])


def test_an_engine_that_sends_again_without_looking_is_caught():
    def careless(self, row, planned):
        engine._move(row, row.state, state=Operation.State.PENDING)

    explorer = Explorer("meta", width=3)
    with explorer.prepared(), mock.patch.object(engine.Run, "_look", careless):
        assert any(explorer.explore(seed).wrong for seed in range(120))


def test_an_engine_that_proves_nothing_is_caught():
    explorer = Explorer("tiktok", width=3)
    with explorer.prepared(), mock.patch.object(proof, "prove", lambda run: None):
        assert any(explorer.explore(seed).wrong for seed in range(120))
