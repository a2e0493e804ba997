"""verify fails when the grader is wrong."""

import pytest

from ddpg_helpers.instructor.course import verify
from ddpg_helpers.instructor.course.verify import TESTS, Count
from ddpg_helpers.instructor.mutants import all_mutants
from ddpg_helpers.noise import OUNoise

GOOD = {"broken": ["x"], "caught": ["x"], "named": ["x"]}


def unmet(**counted):
    """The sentences of the bars that are not met where one hidden test counts so."""
    counts = {("td_target", "mask", test): Count(**GOOD) for test in TESTS}
    counts["td_target", "mask", "hidden test"] = Count(**{**GOOD, **counted})
    return [(sentence, places) for sentence, met, places in verify._bars(counts) if not met]


def test_all_bars_are_met_where_everything_is_caught_and_named():
    assert unmet() == []


@pytest.mark.parametrize(
    ("counted", "sentence"),
    [
        ({"caught": []}, "every mutant loses each aspect that it breaks"),
        ({"lost": ["x"]}, "no mutant loses an aspect that it does not break"),
        ({"rewrites_lost": ["x"]}, "no rewrite loses any"),
    ],
)
def test_one_wrong_verdict_fails_and_is_named(counted, sentence):
    ((found, places),) = unmet(**counted)
    assert found == f"hidden tests: {sentence}"
    assert places == [("td_target", "x", "mask")]


def test_too_many_misnamed_or_unnamed_mutants_fail():
    many = [f"m{number}" for number in range(len(all_mutants()) // 5)]
    found = [sentence for sentence, _ in unmet(broken=many, caught=many, named=[], misnamed=many)]
    assert [sentence.partition("% ")[2] for sentence in found] == [
        "of the mutants named rightly", "named wrongly",
    ]  # fmt: skip


def test_a_right_answer_that_loses_on_some_seeds_is_listed(monkeypatch):
    class SometimesWrong(OUNoise):
        """Forgets to revert where the first draw is positive."""

        def evolve_state(self):
            before = self.state
            after = super().evolve_state()
            if after[0] > before[0]:
                self.state = before + (after - before) * 1.5
            return self.state

    monkeypatch.setitem(verify.REFERENCE, "OUNoise", OUNoise)
    assert verify.changed_verdicts("OUNoise.evolve_state", "noise", range(4)) == []
    right = verify.mutants_of("OUNoise.evolve_state")[0]
    wrong = type(right)(**{**vars(right), "answer": SometimesWrong, "breaks": frozenset()})
    monkeypatch.setattr(verify, "mutants_of", lambda exercise: [wrong] * 10)
    monkeypatch.setattr(verify, "load_rewrites", lambda: None)
    changed = verify.changed_verdicts("OUNoise.evolve_state", "noise", range(12))
    assert 0 < len(changed) < 12
    assert all(name.startswith(f"{right.name}, seed ") for name in changed)
