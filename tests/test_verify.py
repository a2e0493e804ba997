"""verify fails when the grader is wrong."""

from dataclasses import replace

import pytest

from ddpg_helpers.instructor.course import cli, verify
from ddpg_helpers.instructor.course.verify import TESTS, Count
from ddpg_helpers.instructor.grading import judge
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


def test_an_aspect_that_no_mutant_breaks_fails():
    ((found, places),) = unmet(broken=[], caught=[], named=[])
    assert found == "hidden tests: each has a mutant to catch"
    assert places == ["td_target mask: no mutant breaks it"]


@pytest.fixture
def no_draws():
    """Draws that other mutants were known in are forgotten, before and after."""
    judge._draw.cache_clear()
    yield
    judge._draw.cache_clear()


def known_as(monkeypatch, *mutants):
    """Let these be the only known mistakes."""
    for module in (judge, verify):
        monkeypatch.setattr(module, "mutants_of", lambda exercise: list(mutants))


def test_a_mutant_that_no_probe_tells_from_the_right_answer_is_named(monkeypatch, no_draws):
    mutants = verify.mutants_of("td_target")
    right = replace(mutants[0], name="right_after_all", answer=verify.REFERENCE["td_target"])
    known_as(monkeypatch, mutants[1], right)
    count = verify.count("td_target")["td_target", "mask", "hidden test"]
    assert count.cannot_judge == ["td_target: right_after_all is not told from the right answer"]
    assert count.caught == []


def test_two_mutants_that_do_the_same_are_named_unless_one_family(monkeypatch, no_draws):
    one, _ = verify.mutants_of("td_target")[:2]
    twin = replace(one, name="twin", family="twin")
    known_as(monkeypatch, one, twin)
    assert verify._no_probe("td_target", None, 0) == [
        f"td_target: {one.name} and twin are not told from each other"
    ]
    known_as(monkeypatch, one, replace(twin, family=one.family))
    assert verify._no_probe("td_target", None, 0) == []


def test_an_exercise_without_stored_probes_fails_instead_of_raising(monkeypatch, tmp_path):
    monkeypatch.setattr(verify, "CHECKS_DATA", tmp_path)
    count = verify.count("make_target")["make_target", "equal", "visible check"]
    assert count.cannot_judge == ["make_target: nothing is stored; run `ddpg-course build`"]


def test_an_unknown_exercise_is_said_in_a_sentence(capsys):
    assert cli.main(["verify", "td_targets"]) == 1
    assert capsys.readouterr().err.startswith("ddpg-course: there is no exercise 'td_targets'; ")


def test_an_unknown_unit_is_said_in_a_sentence(capsys):
    assert cli.main(["build", "04"]) == 1
    assert capsys.readouterr().err.startswith("ddpg-course: there is no unit '04'; there are 01_")
