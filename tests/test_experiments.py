"""Experiments: sweeps, what they keep, what they refuse, and the recorded runs."""

import functools
import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import distributed
import gymnasium as gym
import numpy as np
import pandas as pd
import pytest
import torch

import ddpg_helpers
from ddpg_helpers import experiments
from ddpg_helpers.environments import OneStepBandit, TerminatedTwin, make_env
from ddpg_helpers.experiments import (
    COLUMNS,
    ORIGINAL_NAMES,
    Setting,
    SweepError,
    final_means,
    load_recorded,
    original_runs,
    sweep,
)
from ddpg_helpers.instructor.course import record as recording
from ddpg_helpers.instructor.reference.agent import DDPGAgent

SETTINGS = [Setting("slow", tau=0.01), Setting("fast", tau=0.5)]
PACKAGE_PARENT = os.path.dirname(os.path.dirname(ddpg_helpers.__file__))


@pytest.fixture(autouse=True)
def not_grading(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


class Counting(DDPGAgent):
    """A small agent that counts how often it is made, and fails or stops on demand."""

    made = 0
    stop_at = None  # the number of the agent that is interrupted

    def __init__(self, env, tau=0.01, fails=0, max_memory_size=1000, seed=None):
        super().__init__(env, hidden_size=8, tau=tau, max_memory_size=max_memory_size, seed=seed)
        Counting.made += 1
        if fails and seed == 1:
            raise ArithmeticError("a fault on purpose")

    def get_action(self, state):
        if Counting.made == Counting.stop_at:
            raise KeyboardInterrupt
        return super().get_action(state)


@pytest.fixture(autouse=True)
def counted_from_zero():
    Counting.made, Counting.stop_at = 0, None


def quick(settings=SETTINGS, seeds=(0, 1), agent=Counting, **arguments):
    given = {"env": OneStepBandit, "episodes": 4, "batch_size": 2, "jobs": 1, "progress": False}
    return sweep(settings, seeds, agent, **{**given, **arguments})


# --- the table ------------------------------------------------------------------------------------


def test_the_table_has_a_row_an_episode_in_the_order_of_settings_and_seeds():
    table = quick(seeds=(5, 2))
    assert table.columns.tolist() == COLUMNS
    runs = table[["setting", "seed"]].drop_duplicates().to_numpy().tolist()
    assert runs == [["slow", 5], ["slow", 2], ["fast", 5], ["fast", 2]]
    assert table["episode"].tolist() == [0, 1, 2, 3] * 4
    assert table["seed"].dtype == table["episode"].dtype == int
    assert table["return"].dtype == table["seconds"].dtype == float
    assert table["return"].nunique() > 4 and (table["return"] <= 0).all()


def test_the_same_sweep_gives_the_same_returns_and_arguments_reach_the_agent():
    first, second = quick(episodes=12), quick(episodes=12)
    assert first["return"].tolist() == second["return"].tolist()
    rates = [Setting("a", tau=0.01), Setting("b", tau=0.01), Setting("c", tau=1.0)]
    by_name = dict(list(quick(rates, episodes=12, env=TerminatedTwin).groupby("setting")["return"]))
    assert by_name.keys() == {"a", "b", "c"}
    made = []

    class Spy(Counting):
        def __init__(self, env, seed=None, **arguments):
            made.append((seed, arguments))
            super().__init__(env, seed=seed)

    quick([Setting("one", tau=0.3), Setting("two")], seeds=[7], agent=Spy)
    assert made == [(7, {"tau": 0.3}), (7, {})]


def test_runs_go_seed_by_seed_so_that_an_interrupted_sweep_is_balanced(capsys):
    Counting.stop_at = 4  # the second setting of the second seed
    table = quick()
    runs = table[["setting", "seed"]].drop_duplicates().to_numpy().tolist()
    assert runs == [["slow", 0], ["slow", 1], ["fast", 0]]
    assert len(table) == 12
    assert "Interrupted: 3 of 4 runs finished." in capsys.readouterr().out


def test_the_bar_is_on_stdout_and_agents_prints_are_not(capsys):
    class Loud(Counting):
        def get_action(self, state):
            print("LOUD")
            return super().get_action(state)

    quick(agent=Loud, progress=True)
    shown = capsys.readouterr()
    assert "4/4" in shown.out and "fast, seed 1" in shown.out and shown.err == ""
    assert "LOUD" not in shown.out


def test_a_sweep_leaves_torchs_threads_as_they_were():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        quick()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


# --- what is kept ---------------------------------------------------------------------------------


def test_a_finished_run_is_in_the_file_before_the_next_one_ends(tmp_path):
    seen = []

    class Looks(Counting):
        def __init__(self, *arguments, **keywords):
            file = tmp_path / "a_sweep.csv"
            seen.append(len(pd.read_csv(file, skiprows=1)) if file.exists() else 0)
            super().__init__(*arguments, **keywords)

    quick(agent=Looks, keep=tmp_path / "a_sweep.csv")
    assert seen == [0, 4, 8, 12]
    assert [file.name for file in tmp_path.iterdir()] == ["a_sweep.csv"]


def test_a_second_call_goes_on_where_an_interrupted_one_stopped(tmp_path, capsys):
    whole = quick(episodes=12)
    Counting.made, Counting.stop_at = 0, 3
    part = quick(episodes=12, keep=tmp_path / "a_sweep.csv")
    assert len(part) == 2 * 12
    Counting.made, Counting.stop_at = 0, None
    rest = quick(episodes=12, keep=tmp_path / "a_sweep.csv")
    assert Counting.made == 2
    assert "2 of 4 runs are taken from a_sweep.csv; delete it" in capsys.readouterr().out
    columns = ["setting", "seed", "episode", "return"]
    pd.testing.assert_frame_equal(rest[columns], whole[columns], check_exact=True)


def test_a_finished_sweep_is_read_back_exactly_and_nothing_is_run(tmp_path):
    first = quick(keep=tmp_path / "a_sweep.csv")
    made, stored = Counting.made, (tmp_path / "a_sweep.csv").read_bytes()
    second = quick(keep=tmp_path / "a_sweep.csv")
    assert Counting.made == made
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert (tmp_path / "a_sweep.csv").read_bytes() == stored


def test_more_seeds_and_further_settings_run_only_what_is_new(tmp_path):
    quick(keep=tmp_path / "a_sweep.csv")
    Counting.made = 0
    table = quick([*SETTINGS, Setting("new", tau=1)], (0, 1, 2), keep=tmp_path / "a_sweep.csv")
    assert Counting.made == 5 and len(table) == 9 * 4
    # and a call that asks for less gets less, while the file keeps all
    less = quick(SETTINGS[:1], [1], keep=tmp_path / "a_sweep.csv")
    assert less["seed"].unique().tolist() == [1] and len(less) == 4
    assert len(pd.read_csv(tmp_path / "a_sweep.csv", skiprows=1)) == 9 * 4


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"episodes": 5}, "episodes"),
        ({"batch_size": 3}, "batch_size"),
        ({"env": TerminatedTwin}, "env"),
        ({"settings": [Setting("slow", tau=0.02)]}, "setting 'slow'"),
        ({"settings": [Setting("slow")]}, "setting 'slow'"),
    ],
)
@pytest.mark.parametrize("grading", [False, True])
def test_a_file_of_another_experiment_is_refused_and_left_alone(
    tmp_path, monkeypatch, changed, named, grading
):
    quick(keep=tmp_path / "a_sweep.csv")
    stored, made = (tmp_path / "a_sweep.csv").read_bytes(), Counting.made
    if grading:
        monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(ValueError, match=rf"a_sweep\.csv belongs to another .*{named} differs"):
        quick(**changed, keep=tmp_path / "a_sweep.csv")
    assert Counting.made == made
    assert (tmp_path / "a_sweep.csv").read_bytes() == stored


def test_the_first_line_tells_what_was_run_with_which_versions_on_which_machine(tmp_path):
    quick([Setting('a "b", #c', tau=np.float64(0.5))], [0], keep=tmp_path / "a_sweep.csv")
    first, *_ = (tmp_path / "a_sweep.csv").read_text().splitlines()
    header = json.loads(first.removeprefix("# "))
    assert header["settings"] == {'a "b", #c': {"tau": 0.5}}
    assert (header["env"], header["episodes"], header["batch_size"]) == ("OneStepBandit()", 4, 2)
    (made,) = header["made_with"]
    assert made["versions"]["torch"] == torch.__version__
    assert made["machine"].keys() == {"processor", "cores"}
    assert len(quick([Setting('a "b", #c', tau=0.5)], [0], keep=tmp_path / "a_sweep.csv")) == 4
    assert Counting.made == 1


def test_a_return_that_is_no_number_is_kept_as_such(tmp_path):
    class Nan(OneStepBandit):
        def step(self, action):
            state, _, *rest = super().step(action)
            return state, float("nan"), *rest

    quick(SETTINGS[:1], [0], env=Nan, batch_size=100, keep=tmp_path / "a_sweep.csv")
    again = quick(SETTINGS[:1], [0], env=Nan, batch_size=100, keep=tmp_path / "a_sweep.csv")
    assert Counting.made == 1 and again["return"].isna().all()


def test_an_unfinished_run_in_the_file_is_run_again(tmp_path):
    file = tmp_path / "a_sweep.csv"
    whole = quick(keep=file)
    file.write_text("\n".join(file.read_text().splitlines()[:-1]) + "\n")
    Counting.made = 0
    again = quick(keep=file)
    assert Counting.made == 1
    assert again["return"].tolist() == whole["return"].tolist()


def test_a_run_whose_episodes_are_out_of_order_is_run_again(tmp_path):
    file = tmp_path / "a_sweep.csv"
    quick(keep=file)
    *lines, second, last = file.read_text().splitlines()
    file.write_text("\n".join([*lines, last, second]) + "\n")
    Counting.made = 0
    quick(keep=file)
    assert Counting.made == 1


def test_a_file_that_cannot_be_written_for_a_while_loses_nothing(tmp_path, monkeypatch, capsys):
    replace, refusals = experiments.Path.replace, iter([True, True, False, False])

    def sometimes(self, target):
        if next(refusals):
            raise PermissionError("open elsewhere")
        return replace(self, target)

    monkeypatch.setattr(experiments.Path, "replace", sometimes)
    table = quick(keep=tmp_path / "a_sweep.csv")
    assert len(table) == len(pd.read_csv(tmp_path / "a_sweep.csv", skiprows=1)) == 16

    def never(self, target):
        raise PermissionError("open elsewhere")

    monkeypatch.setattr(experiments.Path, "replace", never)
    assert len(quick(keep=tmp_path / "b_sweep.csv")) == 16
    assert "b_sweep.csv could not be written" in capsys.readouterr().out


HEADER = '# {"env": "OneStepBandit()", "episodes": 4, "batch_size": 2, "settings": {}, '
HEADER += '"made_with": []}\n'
COLUMN_LINE = ",".join(COLUMNS) + "\n"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04\x95pickle",
        b"setting,seed\na,1\n",
        b"# {]\n",
        b"# {}\n" + COLUMN_LINE.encode(),
        (HEADER + "setting,seed\na,1\n").encode(),
        (HEADER + COLUMN_LINE + "slow,zero,0,1.0,1.0\n").encode(),
        (HEADER + COLUMN_LINE + f"slow,{10**40},0,1.0,1.0\n").encode(),
        (HEADER + COLUMN_LINE + "slow,0,0,much,1.0\n").encode(),
        (HEADER + COLUMN_LINE + "slow,0,0,1.0\n").encode(),
        (HEADER + COLUMN_LINE + "s" * 200_000 + ",0,0,1.0,1.0\n").encode(),
        b"# {" + b"[" * 200_000,
    ],
)
def test_a_file_that_is_no_sweep_is_refused_in_one_sentence(tmp_path, content):
    (tmp_path / "a_sweep.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"a_sweep\.csv holds no sweep .*or delete it"):
        quick(keep=tmp_path / "a_sweep.csv")
    assert (tmp_path / "a_sweep.csv").read_bytes() == content


@pytest.mark.parametrize("limit", ["MAX_KEPT_BYTES", "MAX_KEPT_ROWS"])
def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch, limit):
    quick(keep=tmp_path / "a_sweep.csv")
    monkeypatch.setattr(experiments, limit, 15)
    with pytest.raises(ValueError, match="holds no sweep"):
        quick(keep=tmp_path / "a_sweep.csv")


# --- failing runs ---------------------------------------------------------------------------------


def test_a_failing_run_is_named_at_the_end_and_the_others_are_kept(tmp_path):
    settings = [Setting("sound"), Setting("broken", fails=1)]
    with pytest.raises(SweepError) as raised:
        quick(settings, (0, 1, 2), keep=tmp_path / "a_sweep.csv")
    message = str(raised.value)
    assert "setting 'broken' with seed 1 failed (ArithmeticError: a fault on purpose)" in message
    assert "runs that finished: 5, kept in a_sweep.csv" in message
    assert "raise ArithmeticError" in raised.value.__notes__[0]
    assert len(raised.value.table) == 5 * 4
    Counting.made = 0
    with pytest.raises(SweepError):
        quick(settings, (0, 1, 2), keep=tmp_path / "a_sweep.csv")
    assert Counting.made == 1


def test_several_failing_runs_are_all_named():
    settings = [Setting("a", fails=1), Setting("b", fails=1)]
    with pytest.raises(SweepError, match=r"'a' with seed 1 failed.*so did 'b' with seed 1"):
        quick(settings, [1])


# --- while grading --------------------------------------------------------------------------------


def test_grading_returns_the_kept_runs_and_trains_nothing(tmp_path, monkeypatch, capsys):
    Counting.stop_at = 4
    kept = quick(keep=tmp_path / "a_sweep.csv")
    stored, made = (tmp_path / "a_sweep.csv").read_bytes(), Counting.made
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    shown = quick(keep=tmp_path / "a_sweep.csv")
    assert Counting.made == made
    pd.testing.assert_frame_equal(shown, kept, check_exact=True)
    assert "the runs kept in a_sweep.csv, 3 of 4." in capsys.readouterr().out
    assert (tmp_path / "a_sweep.csv").read_bytes() == stored


@pytest.mark.parametrize("name", [None, "a_sweep.csv"])
def test_grading_without_kept_runs_makes_smoke_runs_that_are_not_kept(
    tmp_path, monkeypatch, capsys, name
):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    table = quick(seeds=(4, 5, 6), episodes=50, jobs=2, keep=name and tmp_path / name)
    runs = table[["setting", "seed", "episode"]].to_numpy().tolist()
    assert runs == [["slow", 4, 0], ["slow", 4, 1], ["fast", 4, 0], ["fast", 4, 1]]
    assert "smoke runs of 2 episodes" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


# --- bad input ------------------------------------------------------------------------------------


def no_seed(env, tau=0.1):
    raise AssertionError("must not be called")


def needs_more(env, teacher, seed=None):
    raise AssertionError("must not be called")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"settings": []}, "there are no settings"),
        ({"settings": SETTINGS[0]}, "must be a list"),
        ({"settings": [{"tau": 1}]}, "write Setting"),
        ({"settings": [Setting("a"), Setting("b"), Setting("a")]}, "two settings .* name 'a'"),
        ({"settings": [Setting("a", taw=0.1)]}, "'a': Counting takes no argument taw; it takes ta"),
        ({"settings": [Setting("a", seed=1)]}, "seed is set by sweep"),
        ({"settings": [Setting("a", tau=1.01)]}, "'a': tau must be a number from 0 to 1, not 1.01"),
        ({"settings": [Setting("a", tau=float("nan"))]}, "tau must be"),
        ({"settings": [Setting("a", tau="big")]}, "tau must be"),
        ({"settings": [Setting("a", gamma=-0.1)], "agent": DDPGAgent}, "gamma must be"),
        ({"settings": [Setting("a", hidden_size=0)], "agent": DDPGAgent}, "hidden_size must be"),
        (
            {"settings": [Setting("a", actor_learning_rate=0.0)], "agent": DDPGAgent},
            "actor_learning_rate must be a number above 0, not 0.0",
        ),
        (
            {"settings": [Setting("a", critic_learning_rate=-1e-3)], "agent": DDPGAgent},
            "critic_learning_rate must be",
        ),
        ({"seeds": []}, "there are no seeds"),
        ({"seeds": 3}, r"write range\(3\)"),
        ({"seeds": [1, 2, 1]}, "seed 1 is there twice"),
        ({"seeds": [-1]}, "a seed must be a whole number"),
        ({"seeds": [0.5]}, "a seed must be a whole number"),
        ({"agent": "DDPGAgent"}, "agent must be the agent's class"),
        ({"agent": no_seed}, "no_seed takes no argument seed"),
        ({"agent": needs_more, "settings": [Setting("a")]}, "'teacher'"),
        ({"episodes": 0}, "episodes must be a whole number"),
        ({"batch_size": 0}, "batch_size must be a whole number"),
        ({"jobs": 0}, "jobs must be a whole number"),
        ({"env": "CartPole-v1"}, "CartPole-v1 has discrete actions"),
        ({"env": lambda: gym.make("CartPole-v1")}, "has discrete actions"),
        ({"env": "Pendulm-v1"}, "gymnasium cannot make the environment 'Pendulm-v1'"),
        ({"env": lambda: gym.make("Pendulum-v1")}, "RescaleAction"),
        ({"env": OneStepBandit()}, "a function that makes one"),
        ({"batch_size": 1000}, "at most 1000 transitions, .* a smaller batch_size"),
        (
            {"settings": [Setting("a", max_memory_size=64)], "batch_size": 64},
            "at most 64 transitions",
        ),
        ({"env": "Pendulum-v1", "episodes": 2, "batch_size": 400}, "2 episodes of at most 200"),
        ({"keep": "no_such_folder/a_sweep.csv"}, "no folder no_such_folder"),
        ({"keep": "."}, "is a folder"),
    ],
)
def test_bad_input_is_refused_in_one_sentence_before_anything_starts(
    tmp_path, monkeypatch, wrong, said
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, TypeError), match=said) as raised:
        quick(**wrong)
    assert "\n" not in str(raised.value) or "Pendulm" in str(raised.value)
    assert Counting.made == 0


@pytest.mark.parametrize(
    "make", [lambda: Setting(""), lambda: Setting(3), lambda: Setting("a", b=[])]
)
def test_a_setting_without_name_or_with_an_argument_that_cannot_be_kept_is_refused(make):
    with pytest.raises(TypeError, match="must be a"):
        make()


def test_an_agent_with_its_own_arguments_filled_in_may_be_given():
    table = quick(agent=functools.partial(DDPGAgent, hidden_size=8))
    assert len(table) == 16


# --- processes ------------------------------------------------------------------------------------

AGENT_FILE = """
    from ddpg_helpers.instructor.reference.agent import DDPGAgent

    class FileAgent(DDPGAgent):
        pass
"""
NOTEBOOK_LIKE = """
    import os
    import torch
    from agent import FileAgent
    from ddpg_helpers.environments import OneStepBandit
    from ddpg_helpers.experiments import Setting, SweepError, sweep

    HIDDEN = 8
    start = os.getpid()

    class MyAgent(FileAgent):
        def __init__(self, env, tau=0.01, elsewhere=0, seed=None):
            super().__init__(env, hidden_size=HIDDEN, tau=tau, seed=seed)
            self.threads = torch.get_num_threads()
            if elsewhere:
                raise RuntimeError(f"{os.getpid() != start} {self.threads}")

    settings = [Setting("a", tau=0.01), Setting("b", tau=1.0), Setting("c", elsewhere=1)]
    try:
        sweep(
            settings, range(2), MyAgent, env=lambda: OneStepBandit((0.5, 0.1)), episodes=10,
            batch_size=2, jobs=2, keep="my_sweep.csv", progress=False,
        )
    except SweepError as error:
        print(error)
        print(error.table["return"].tolist())
"""


def run_script(folder, script, *arguments, **options):
    (folder / "script.py").write_text(textwrap.dedent(script))
    environment = {**os.environ, "PYTHONPATH": PACKAGE_PARENT}
    return subprocess.Popen(
        [sys.executable, "script.py", *arguments], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def test_an_agent_defined_in_main_runs_in_other_processes_with_the_same_numbers(tmp_path):
    (tmp_path / "agent.py").write_text(textwrap.dedent(AGENT_FILE))
    output, errors = run_script(tmp_path, NOTEBOOK_LIKE).communicate(timeout=60)
    # the failing setting tells that it ran in another process, with one thread
    assert "setting 'c' with seed 0 failed (RuntimeError: True 1)" in output, errors
    assert "'c' with seed 1; runs that finished: 4, kept in my_sweep.csv" in output
    assert errors == ""
    here = quick(
        [Setting("a", tau=0.01), Setting("b", tau=1.0)], episodes=10,
        env=lambda: OneStepBandit((0.5, 0.1)),
    )  # fmt: skip
    assert json.loads(output.splitlines()[-1]) == here["return"].tolist()


INTERRUPTED = """
    import time
    from ddpg_helpers.environments import OneStepBandit
    from ddpg_helpers.experiments import Setting, sweep
    from ddpg_helpers.instructor.reference.agent import DDPGAgent

    class MyAgent(DDPGAgent):
        def __init__(self, env, wait=0.0, seed=None):
            super().__init__(env, hidden_size=8, seed=seed)
            self.wait = wait

        def get_action(self, state):
            time.sleep(self.wait)
            return super().get_action(state)

    table = sweep(
        [Setting("quick"), Setting("endless", wait=1000.0)], [0, 1], MyAgent, env=OneStepBandit,
        episodes=3, batch_size=2, jobs=2, keep="my_sweep.csv",
    )
    print(table["setting"].tolist())
"""


@pytest.mark.full
@pytest.mark.skipif(sys.platform == "win32", reason="signals to a group of processes")
def test_interrupting_parallel_runs_returns_what_is_finished(tmp_path):
    process = run_script(tmp_path, INTERRUPTED, start_new_session=True)
    try:
        deadline = time.monotonic() + 40
        kept = tmp_path / "my_sweep.csv"
        while not (kept.exists() and len(kept.read_text().splitlines()) >= 5):
            assert process.poll() is None and time.monotonic() < deadline, process.communicate()
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as Jupyter's stop button does
        output, _ = process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode == 0
    assert "of 4 runs finished." in output
    last = output.splitlines()[-1]
    assert last in (str(["quick"] * 3), str(["quick"] * 6))


DIES = """
    import os
    from ddpg_helpers.environments import OneStepBandit
    from ddpg_helpers.experiments import Setting, SweepError, sweep

    def dies(env, seed=None):
        os._exit(1)

    try:
        sweep([Setting("a")], range(2), dies, env=OneStepBandit, jobs=2, progress=False)
    except SweepError as error:
        print(error)
"""


@pytest.mark.full
def test_a_process_that_dies_is_told_in_one_sentence(tmp_path):
    output, errors = run_script(tmp_path, DIES).communicate(timeout=60)
    assert "a process that trained ended by itself" in output, errors
    assert len(output.splitlines()) == 1


# --- what is made of the table --------------------------------------------------------------------


def test_final_means_takes_the_last_returns_of_each_run():
    rows = [("b", 1, episode, float(episode), 9.0) for episode in range(20)]
    rows += [("b", 0, episode, 10.0, 9.0) for episode in range(20)]
    rows += [("a", 1, episode, -float(episode), 9.0) for episode in range(3)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    means = final_means(table)
    assert means.columns.tolist() == ["setting", "seed", "mean_return"]
    assert means.to_numpy().tolist() == [["b", 1, 14.5], ["b", 0, 10.0], ["a", 1, -1.0]]
    assert final_means(table, last=1)["mean_return"].tolist() == [19.0, 10.0, -2.0]
    backwards = pd.concat([table[::-1]])
    assert sorted(final_means(backwards)["mean_return"]) == sorted(means["mean_return"])


@pytest.mark.parametrize(("columns", "last"), [(["setting", "seed"], 10), (COLUMNS, 0)])
def test_final_means_refuses_a_table_or_number_that_makes_no_sense(columns, last):
    with pytest.raises(ValueError, match=r"no column episode, return|at least 1"):
        final_means(pd.DataFrame(columns=columns), last)


def test_the_original_runs_have_the_means_that_are_known():
    runs = original_runs()
    assert runs.columns.tolist() == ["setting", "episode", "return"]
    assert (runs.groupby("setting")["episode"].nunique() == 50).all() and len(runs) == 250
    means = final_means(runs).set_index("setting")["mean_return"].round(1)
    assert means.to_dict() == {
        "default": -384.8, "swapped rates": -366.2, "equal rates": -351.4, "tau 1": -792.0,
        "tau 1e-5": -1568.8,
    }  # fmt: skip


def test_a_recorded_sweep_that_does_not_exist_is_refused_with_what_there_is():
    with pytest.raises(ValueError, match="no sweep is recorded under the name 'others'"):
        load_recorded("others")


def test_the_recorded_sweep_is_balanced_and_complete():
    table = load_recorded()
    assert table.columns.tolist() == COLUMNS
    assert table["setting"].unique().tolist() == list(ORIGINAL_NAMES.values())
    lengths = table.groupby(["setting", "seed"]).size()
    assert (lengths == 50).all() and len(lengths) == 5 * table["seed"].nunique()
    assert table["return"].between(-2000, 0).all()
    # What the lesson says of them, with a wide margin: a tau of 1e-5 learns nothing.
    means = final_means(table).groupby("setting")["mean_return"].mean()
    assert means["tau 1e-5"] < -1200 < means["tau 1"] < means["default"]


def test_the_gallery_is_balanced_and_its_letters_are_those_of_the_record():
    table = load_recorded("bug_gallery")
    assert table["setting"].unique().tolist() == list("ABCDEFGHI")
    runs = table.groupby(["setting", "seed"])["episode"].agg(list)
    assert len(runs) == 90 and all(episodes == list(range(50)) for episodes in runs)
    facts = json.loads((recording.DATA / "bug_gallery.json").read_text())
    assert facts["settings"] == {s.name: dict(s.arguments) for s in recording.GALLERY}


# --- recording ------------------------------------------------------------------------------------


@pytest.fixture
def small_recording(monkeypatch):
    """The recording with a small agent on a bandit, so that it takes no time."""
    counted = functools.partial(sweep, progress=False)

    def small(settings, seeds, agent, **arguments):
        small.seeds.extend(seeds)
        arguments |= {"env": OneStepBandit, "batch_size": 2}
        return counted(settings, seeds, agent, **arguments)

    small.seeds = []
    settings = [Setting("b", tau=0.1), Setting("a", tau=1.0)]
    monkeypatch.setattr(recording, "sweep", small)
    monkeypatch.setitem(recording.RECORDINGS, "few", recording.Recording(settings, Counting, 5))
    return small


def test_recording_writes_each_finished_seed_and_goes_on_later(tmp_path, small_recording):
    out = tmp_path / "few.csv.gz"
    recording.record("few", range(2), episodes=3, jobs=1, folder=tmp_path)
    Counting.made = 0
    Counting.stop_at = 4  # seed 2 gets done, seed 3 does not
    recording.record("few", episodes=3, jobs=1, folder=tmp_path)
    table = pd.read_csv(out)
    assert sorted(table["seed"].unique()) == [0, 1, 2] and len(table) == 3 * 2 * 3
    assert (tmp_path / "few_sweep.csv").exists()
    Counting.made, Counting.stop_at = 0, None
    returned = recording.record("few", episodes=3, jobs=1, folder=tmp_path)
    assert Counting.made == 3  # the rest of seed 3, and seed 4
    table = pd.read_csv(out)
    pd.testing.assert_frame_equal(returned, table, check_dtype=False)
    assert table["setting"].unique().tolist() == ["b", "a"] and len(table) == 5 * 2 * 3
    assert (table["return"] == table["return"].round(2)).all()
    facts = json.loads((tmp_path / "few.json").read_text())
    assert facts["seeds"] == [0, 1, 2, 3, 4] and facts["episodes"] == 3
    assert facts["settings"] == {"b": {"tau": 0.1}, "a": {"tau": 1.0}}
    assert facts["made_with"][0]["machine"].keys() == {"processor", "cores"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["few.csv.gz", "few.json"]


def test_recording_refuses_a_table_of_other_settings_and_an_unknown_name(tmp_path, small_recording):
    recording.record("few", range(1), episodes=3, jobs=1, folder=tmp_path)
    with pytest.raises(ValueError, match="recorded with another episodes"):
        recording.record("few", range(2), episodes=4, jobs=1, folder=tmp_path)
    with pytest.raises(ValueError, match="no recording 'many'; there are original_settings"):
        recording.record("many", range(1), folder=tmp_path)


def test_the_recorded_settings_are_those_of_the_original():
    wanted = {
        "default": (1e-4, 1e-3, 1e-2), "swapped rates": (1e-3, 1e-4, 1e-2),
        "equal rates": (1e-3, 1e-3, 1e-2), "tau 1": (1e-4, 1e-3, 1.0),
        "tau 1e-5": (1e-4, 1e-3, 1e-5),
    }  # fmt: skip
    names = ("actor_learning_rate", "critic_learning_rate", "tau")
    assert {
        setting.name: tuple(setting.arguments[name] for name in names)
        for setting in recording.ORIGINAL_SETTINGS
    } == wanted
    facts = json.loads((recording.DATA / "original_settings.json").read_text())
    assert list(facts["settings"]) == list(wanted) == list(ORIGINAL_NAMES.values())
    assert (facts["env"], facts["episodes"], facts["batch_size"]) == ("Pendulum-v1", 50, 128)
    assert all(arguments["hidden_size"] == 256 for arguments in facts["settings"].values())


def test_the_gallery_is_a_right_agent_and_eight_with_one_bug_each():
    bugs = {s.name: s.arguments["bug"] for s in recording.GALLERY}
    assert list(bugs) == list("ABCDEFGHI") and len(set(bugs.values())) == 9
    kinds = {bug: type(recording.agent_with(make_env(), 0, bug)) for bug in bugs.values()}
    assert kinds["none"] is recording.DDPGAgent and len(set(kinds.values())) == 9


# --- on a cluster ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dask_scheduler(tmp_path_factory):
    """A real scheduler and two worker processes on this machine; yields the address."""
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    commands = [
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *common],
        *[[*dask, "worker", "--nthreads", "1", *common]] * 2,
    ]
    processes = [subprocess.Popen(command, **quiet) for command in commands]
    try:
        deadline = time.monotonic() + 60
        while not (file.exists() and file.read_text().strip()):
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        with distributed.Client(address) as client:
            client.wait_for_workers(2, timeout=60)
        yield address
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


@pytest.mark.full
def test_a_cluster_gives_what_this_machine_gives(dask_scheduler, tmp_path):
    settings, seeds = [Setting("a"), Setting("b", tau=0.1)], range(2)
    options = {"env": OneStepBandit, "episodes": 30, "batch_size": 8, "progress": False}
    here = sweep(settings, seeds, DDPGAgent, **options)
    there = sweep(
        settings, seeds, DDPGAgent, **options, scheduler=dask_scheduler, keep=tmp_path / "kept.csv"
    )
    columns = ["setting", "seed", "episode", "return"]
    pd.testing.assert_frame_equal(here[columns], there[columns])
    kept = sweep(settings, seeds, DDPGAgent, **options, keep=tmp_path / "kept.csv")
    pd.testing.assert_frame_equal(there, kept)


ON_A_CLUSTER = """
    import sys
    from beside import refuses_seven
    from ddpg_helpers.environments import OneStepBandit
    from ddpg_helpers.experiments import Setting, SweepError, sweep

    try:
        sweep(
            [Setting("good"), Setting("bad", hidden_size=7)], [0], refuses_seven, progress=False,
            env=OneStepBandit, episodes=12, batch_size=4, scheduler=sys.argv[1],
        )
    except SweepError as error:
        print(error)
        print(error.table["setting"].unique().tolist())
"""
BESIDE = """
    from ddpg_helpers.instructor.reference.agent import DDPGAgent

    def refuses_seven(env, hidden_size=16, seed=None):
        if hidden_size == 7:
            raise RuntimeError("no sevens")
        return DDPGAgent(env, hidden_size, seed=seed)
"""


@pytest.mark.full
def test_a_run_that_fails_on_a_cluster_is_named_and_the_others_finish(dask_scheduler, tmp_path):
    """The agent stands in a file that the workers do not have."""
    (tmp_path / "beside.py").write_text(textwrap.dedent(BESIDE))
    output, errors = run_script(tmp_path, ON_A_CLUSTER, dask_scheduler).communicate(timeout=90)
    assert "setting 'bad' with seed 0 failed (RuntimeError: no sevens)" in output, errors
    assert output.splitlines()[-1] == "['good']"


def test_a_scheduler_that_is_not_there_is_told():
    with pytest.raises(ValueError, match="there is no Dask scheduler at tcp"):
        sweep(
            [Setting("a")], [0], DDPGAgent, env=OneStepBandit, episodes=3, batch_size=2,
            progress=False, scheduler="tcp://127.0.0.1:9",
        )  # fmt: skip
