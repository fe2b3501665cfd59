"""Which errors are tried again, and after how long."""

from __future__ import annotations

import pytest

from nbhitl.engine.retry import retries, retry_delay
from nbhitl.errors import GraphInterrupt, QuestionChanged, mark_invalid_resume
from nbhitl.types import RetryPolicy

STEADY = RetryPolicy(initial_interval=1.0, backoff_factor=2.0, max_interval=5.0, max_attempts=5, jitter=False)


def test_the_wait_grows_up_to_its_bound_and_ends_with_the_attempts():
    assert [retry_delay([STEADY._replace(retry_on=ValueError)], n, ValueError()) for n in range(1, 6)] == [
        1.0, 2.0, 4.0, 5.0, None,
    ]  # fmt: skip


def test_jitter_adds_up_to_a_second(monkeypatch):
    asked = []
    monkeypatch.setattr("random.uniform", lambda *bounds: asked.append(bounds) or 0.25)
    policy = STEADY._replace(retry_on=ValueError)
    assert retry_delay([policy], 2, ValueError()) == 2.0
    assert asked == []
    assert retry_delay([policy._replace(jitter=True)], 2, ValueError()) == 2.25
    assert asked == [(0, 1)]


def test_the_first_policy_that_covers_an_error_decides():
    policies = [STEADY._replace(retry_on=KeyError, max_attempts=1), STEADY._replace(retry_on=LookupError)]
    assert retry_delay(policies, 1, KeyError()) is None
    assert retry_delay(policies, 1, IndexError()) == 1.0
    assert retry_delay(policies, 1, ValueError()) is None
    assert retry_delay([], 1, ValueError()) is None


def refused() -> TypeError:
    error = TypeError("the answer does not fit")
    mark_invalid_resume(error)
    return error


@pytest.mark.parametrize("error", [GraphInterrupt(()), QuestionChanged("asks something else"), refused()])
def test_a_pause_or_an_answer_is_never_tried_again(error):
    assert retry_delay([STEADY._replace(retry_on=Exception)], 1, error) is None


@pytest.mark.parametrize(
    ("retry_on", "covered"),
    [
        (LookupError, True),
        (ValueError, False),
        ([ValueError, KeyError], True),
        ((ValueError, KeyError), True),
        ([ValueError], False),
        ([], False),
        (lambda error: error.args, True),
        (lambda error: None, False),
    ],
)
def test_what_a_policy_covers(retry_on, covered):
    assert retries(RetryPolicy(retry_on=retry_on), KeyError("k")) is covered


@pytest.mark.parametrize("retry_on", [3, "KeyError", None])
def test_what_retry_on_may_be(retry_on):
    with pytest.raises(TypeError, match=f"retry_on must be an exception class, .*; got {retry_on!r}"):
        retries(RetryPolicy(retry_on=retry_on), KeyError("k"))
