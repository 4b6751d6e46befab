from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deploy import retry


@given(st.floats(min_value=0, max_value=10_000))
def test_the_platforms_own_time_is_never_cut_short(after):
    assert after <= retry.wait(after, 0) <= after + 1


@given(st.integers(0, 60))
def test_back_off_grows_and_stays_within_its_longest(tries):
    longest = min(retry.LONGEST_S, 2.0**tries)
    assert longest / 2 <= retry.wait(None, tries) <= longest
