"""Experiments: settings x seeds in parallel, each finished run kept, and the recorded sweeps."""

import contextlib
import csv
import importlib.metadata
import importlib.resources
import inspect
import io
import json
import multiprocessing
import os
import pickle
import platform
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle
import gymnasium as gym
import joblib
import numpy as np
import pandas as pd
import torch
from gymnasium.spaces import Box
from joblib.externals.loky import get_reusable_executor
from tqdm import tqdm

from ddpg_helpers.environments import make_env
from ddpg_helpers.training import SMOKE_EPISODES, train

COLUMNS = ["setting", "seed", "episode", "return", "seconds"]
MAX_KEPT_BYTES = 50_000_000
MAX_KEPT_ROWS = 1_000_000
# The names that the course uses for the settings of the original tutorial's runs.
ORIGINAL_NAMES = {
    "default": "default",
    "swapped_rates": "swapped rates",
    "equal_rates": "equal rates",
    "tau_1": "tau 1",
    "tau_1e-5": "tau 1e-5",
}

EnvFactory = Callable[[], gym.Env]


@dataclass(frozen=True, init=False)
class Setting:
    """One setting of an experiment: a name, and the agent's arguments that are not its defaults.

    For instance ``Setting("swapped rates", actor_learning_rate=1e-3, critic_learning_rate=1e-4)``.

    Args:
        name: stands in tables and legends.
        arguments: what the agent is made with: numbers, texts, or None. The environment and the
            seed are given by ``sweep``.

    Raises:
        TypeError: the name is no text, or an argument is neither number, text nor None.
    """

    name: str
    arguments: Mapping[str, Any] = field(hash=False)

    def __init__(self, name: str, /, **arguments: Any) -> None:
        if not isinstance(name, str) or not name.strip():
            raise TypeError(f"a setting's name must be a text that is not empty, not {name!r}")
        plain = {key: _plain(value) for key, value in arguments.items()}
        for key, value in plain.items():
            if not isinstance(value, int | float | str | None):
                raise TypeError(
                    f"setting {name!r}: {key} must be a number or a text, "
                    f"not {type(value).__name__}"
                )
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "arguments", plain)


class SweepError(RuntimeError):
    """Runs of a sweep failed; ``table`` holds the runs that finished."""

    def __init__(self, message: str, table: pd.DataFrame) -> None:
        super().__init__(message)
        self.table = table


@dataclass(frozen=True)
class _Task:
    """One run, with all that a worker process needs for it."""

    setting: Setting
    seed: int
    agent: Callable[..., Any]
    env: str | EnvFactory
    episodes: int
    batch_size: int


@dataclass
class _Outcome:
    setting: str
    seed: int
    returns: list[float] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""  # "TypeError: ...", empty where the run finished
    trace: str = ""
    interrupted: bool = False


def sweep(
    settings: Sequence[Setting],
    seeds: Iterable[int],
    agent: Callable[..., Any],
    *,
    env: str | EnvFactory = "Pendulum-v1",
    episodes: int = 50,
    batch_size: int = 128,
    jobs: int | None = None,
    keep: str | Path | None = None,
    progress: bool = True,
    scheduler: str | None = None,
) -> pd.DataFrame:
    """Train ``agent`` with every setting and every seed, several runs at a time.

    Each run is one call of ``training.train`` in a process of its own, with one torch thread; the
    runs of the first seed come first, for all settings. A finished run is written to ``keep`` at
    once. The same call again goes on where an interrupted one stopped, and a call with more seeds
    or further settings runs only those. Interrupting (Ctrl-C, or the stop button) returns the
    runs that finished.

    While a notebook is graded or validated (nbgrader sets ``NBGRADER_EXECUTION``) nothing is
    trained again: the runs in ``keep`` are returned, or, where there are none, a smoke run of two
    episodes and one seed for each setting, which is not kept.

    Args:
        settings: what to compare; every name once.
        seeds: each is the seed of one run per setting: of agent, environment and noise.
        agent: the agent's class, called as ``agent(env, seed=seed, **setting.arguments)``; it may
            be defined in the notebook.
        env: the name of a gymnasium environment (see ``environments.make_env``), or a function
            without arguments that makes one whose actions lie in [-1, 1].
        episodes: episodes of each run.
        batch_size: transitions in each update.
        jobs: processes; None for one on each core. With 1 the runs take place in this process.
        keep: CSV file beside the notebook ("07_sweep.csv"); None keeps nothing. Its first line
            holds the settings, the versions of the packages and the machine. Whether the agent's
            code has changed since it cannot know: delete the file to run everything again.
        progress: whether to show a bar with the time that is left.
        scheduler: address of a Dask scheduler ("tcp://host:8786") whose workers do the runs, on as
            many machines as they are, in place of ``jobs``; needs the extra "cluster". Start the
            workers with one thread each (``dask worker ADDRESS --nthreads 1 --nworkers auto``) and
            with the same packages. The numbers are those of a local sweep on such a machine.

    Returns:
        A table with a row for each episode: setting (str), seed (int), episode (int, from 0),
        return (float, undiscounted, exploration noise included), seconds (float, of the whole run);
        in the order of ``settings``, then of ``seeds``.

    Raises:
        ValueError, TypeError: something is wrong with the arguments, or ``keep`` belongs to another
            experiment; nothing has been run then.
        SweepError: runs failed; raised after all the others have finished, which are in its
            ``table`` and in ``keep``.
    """
    settings = _checked_settings(settings, agent)
    seeds = _checked_seeds(seeds)
    for name, value in (("episodes", episodes), ("batch_size", batch_size), ("jobs", jobs)):
        if value is not None and (not isinstance(value, int | np.integer) or value < 1):
            raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")
    _check_env(env)
    _check_memory(settings, agent, env, int(episodes), int(batch_size))
    order = [(setting.name, seed) for setting in settings for seed in seeds]

    kept = _Kept.open(keep, settings, agent, env, int(episodes), int(batch_size))
    wanted = set(order)
    finished = {key: outcome for key, outcome in kept.outcomes.items() if key in wanted}

    if os.environ.get("NBGRADER_EXECUTION"):
        if finished:
            print(
                f"Not training while grading: the runs kept in {kept.path.name}, "
                f"{len(finished)} of {len(order)}."
            )
            return _table(finished, order)
        print(
            f"Not training while grading: smoke runs of {SMOKE_EPISODES} episodes, one a setting."
        )
        kept, seeds, jobs = _Kept(), seeds[:1], 1
        episodes = min(episodes, SMOKE_EPISODES)
        order = [(setting.name, seeds[0]) for setting in settings]
    elif finished:
        print(
            f"{len(finished)} of {len(order)} runs are taken from {kept.path.name}; "
            "delete it to run them again, for instance after a change to the agent."
        )

    if kept.path is not None and not os.access(kept.path.parent, os.W_OK):
        raise ValueError(f"keep: nothing can be written into the folder {kept.path.parent}")

    tasks = [
        _Task(setting, seed, agent, env, int(episodes), int(batch_size))
        for seed in seeds
        for setting in settings
        if (setting.name, seed) not in finished
    ]
    jobs = min(joblib.cpu_count() if jobs is None else int(jobs), max(1, len(tasks)))
    cluster = None
    if scheduler is not None and not os.environ.get("NBGRADER_EXECUTION"):
        cluster = connect(scheduler)
    failed: list[_Outcome] = []
    # A bar on stdout: text on stderr looks like an error in a notebook. The average speed since
    # the start (smoothing 0) tells the time left best where several runs end at once.
    bar = tqdm(
        total=len(order), initial=len(finished), desc="run", unit="run", file=sys.stdout,
        disable=not progress, smoothing=0, miniters=1,
    )  # fmt: skip
    try:
        with contextlib.closing(_outcomes(tasks, jobs, cluster)) as outcomes:
            for outcome in outcomes:
                if outcome.interrupted:
                    raise KeyboardInterrupt
                if outcome.error:
                    failed.append(outcome)
                else:
                    finished[outcome.setting, outcome.seed] = outcome
                    kept.add(outcome)
                    mean = np.mean(outcome.returns[-10:])
                    text = f"{outcome.setting}, seed {outcome.seed}: mean of last 10 {mean:.0f}"
                    bar.set_postfix_str(text, refresh=False)
                bar.update()
    except KeyboardInterrupt:
        bar.close()
        print(f"Interrupted: {len(finished)} of {len(order)} runs finished.")
    except BrokenProcessPool as error:
        raise SweepError(
            f"a process that trained ended by itself ({error.__class__.__name__}), most often for "
            f"want of memory; try a smaller jobs; {_where(len(finished), kept)}",
            _table(finished, order),
        ) from None
    finally:
        bar.close()
        if cluster is not None:
            cluster.close()
    try:
        kept.write()
    except PermissionError:
        print(f"{kept.path.name} could not be written (is it open elsewhere?); runs are not kept.")
    table = _table(finished, order)
    if failed:
        raise _failure(failed, table, kept)
    return table


def final_means(table: pd.DataFrame, last: int = 10) -> pd.DataFrame:
    """The mean of each run's last ``last`` returns, of fewer where a run is shorter.

    Args:
        table: from ``sweep``, ``load_recorded`` or ``original_runs`` (which has no seeds).
        last: how many episodes the mean takes.

    Returns:
        A table with one row a run: setting, seed (where the table has seeds) and mean_return.

    Raises:
        ValueError: ``last`` is below 1, or a column is missing.
    """
    missing = {"setting", "episode", "return"} - set(table.columns)
    if missing:
        raise ValueError(f"the table has no column {', '.join(sorted(missing))}")
    if last < 1:
        raise ValueError(f"last must be at least 1, not {last}")
    run = [column for column in ("setting", "seed") if column in table.columns]
    table = table.reset_index(drop=True)
    ends = table.sort_values("episode", kind="stable").groupby(run, sort=False).tail(last)
    means = ends.sort_index().groupby(run, sort=False)["return"].mean()
    return means.rename("mean_return").reset_index()


def load_recorded(name: str = "original_settings") -> pd.DataFrame:
    """Read a sweep that was recorded for the course, in the form that ``sweep`` returns.

    "original_settings": the five settings of the original tutorial, 50 episodes of Pendulum-v1,
    many seeds. "bug_gallery": a right agent and eight with one mistake each, ten seeds. Returns are
    rounded to 0.01. A JSON file of the same name beside it holds the
    arguments, the versions of the packages and the machine.

    Raises:
        ValueError: nothing is recorded under this name.
    """
    data = _data()
    suffix = ".csv.gz"
    recorded = sorted(
        file.name.removesuffix(suffix) for file in data.iterdir() if file.name.endswith(suffix)
    )
    if name not in recorded:
        raise ValueError(
            f"no sweep is recorded under the name {name!r}; "
            f"there is {', '.join(recorded) or 'none yet'}"
        )
    raw = data.joinpath(name + suffix).read_bytes()
    return pd.read_csv(io.BytesIO(raw), compression="gzip")[COLUMNS]


def original_runs() -> pd.DataFrame:
    """Read the returns of the original tutorial's own five runs, one a setting.

    They come from code that differs from this course's (see the README in ``ddpg_helpers/data``),
    with exploration noise, and their seeds are not known.

    Returns:
        A table of setting (named as in ``load_recorded``), episode (from 0) and return.
    """
    table = pd.read_csv(io.BytesIO(_data().joinpath("original_runs.csv").read_bytes()))
    return table.assign(setting=table["setting"].map(ORIGINAL_NAMES))


def _data() -> Any:
    return importlib.resources.files("ddpg_helpers").joinpath("data")


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that a sweep's numbers depend on."""
    packages = ("torch", "gymnasium", "numpy")
    found = {package: importlib.metadata.version(package) for package in packages}
    return {"python": platform.python_version(), **found}


def machine() -> dict[str, str | int]:
    """The processor's model, where the system tells it, and the number of cores."""
    model = ""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    model = model or platform.processor() or platform.machine()
    return {"processor": model, "cores": joblib.cpu_count()}


# --- one run, and all of them ---------------------------------------------------------------------


def connect(scheduler: str) -> Any:
    """Connect to a Dask cluster; it is then where joblib's Dask backend looks."""
    try:
        from distributed import Client
    except ImportError:
        raise ValueError(
            "scheduler needs Dask; install it with: pip install 'ddpg-helpers[cluster]'"
        ) from None
    try:
        client = Client(scheduler, timeout="10s")
    except OSError as error:
        raise ValueError(f"there is no Dask scheduler at {scheduler} ({error})") from None
    threads = [worker["nthreads"] for worker in client.scheduler_info(-1)["workers"].values()]
    if not threads or max(threads) > 1:
        client.close()
        problem = "has no workers" if not threads else f"has workers with {max(threads)} threads"
        raise ValueError(
            f"the Dask scheduler at {scheduler} {problem}; start them with --nthreads 1, since "
            "runs in one process would share torch's random numbers"
        )
    return client


def _outcomes(tasks: list[_Task], jobs: int, cluster: Any = None) -> Iterator[_Outcome]:
    """Run the tasks, in this process, in ``jobs`` others or on a cluster; yield each outcome as it
    comes."""
    if jobs == 1 and cluster is None:
        for task in tasks:
            yield _run(task)
        return
    backend = {"backend": "dask"} if cluster else {"backend": "loky", "inner_max_num_threads": 1}
    calls = [joblib.delayed(_run)(task) for task in tasks]
    if cluster and tasks:
        calls = [joblib.delayed(_run_pickled)(pickled) for pickled in _pickled(tasks)]
        _check_workers(cluster, calls[0][1][0])
    with joblib.parallel_config(**backend):
        # One task a batch: joblib would else hold several short runs back until all have ended.
        parallel = joblib.Parallel(
            -1 if cluster else jobs, return_as="generator_unordered", batch_size=1
        )
        results = parallel(calls)
    try:
        yield from results
    finally:
        with warnings.catch_warnings():
            # joblib tells that it stops early, which is what an interruption asks for.
            warnings.simplefilter("ignore", UserWarning)
            results.close()
        if cluster is None:
            # Idle workers would keep old versions of the modules that they imported.
            get_reusable_executor(reuse=True).shutdown(wait=False)


def _pickled(tasks: list[_Task]) -> list[bytes]:
    """Tasks for other machines, which do not have the files beside the notebook: these travel."""
    beside = _modules_beside(tasks[0].agent)
    for module in beside:
        cloudpickle.register_pickle_by_value(module)
    try:
        return [cloudpickle.dumps(task) for task in tasks]
    finally:
        for module in beside:
            cloudpickle.unregister_pickle_by_value(module)


def _run_pickled(task: bytes) -> _Outcome:
    return _run(pickle.loads(task))


def _check_workers(cluster: Any, task: bytes) -> None:
    """Joblib would wait for ever for workers that can't load what they are to run."""
    try:
        cluster.run(pickle.loads, task)
    except Exception as error:
        raise ValueError(
            f"the workers of the cluster can't load the agent or the environment "
            f"({type(error).__name__}: {error}); define the agent in the notebook or in a file "
            "beside it, and install the same packages on every machine"
        ) from None


def _modules_beside(agent: Callable[..., Any]) -> list[ModuleType]:
    """The modules in the folder of the agent's own, such as "agent.py" beside a notebook."""
    own = sys.modules.get(getattr(agent, "__module__", ""))
    if own is None or not getattr(own, "__file__", None) or own.__name__.startswith("ddpg_helpers"):
        return []
    folder = Path(own.__file__).parent
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    return [
        sys.modules[name]
        for name, file in files.items()
        if file and Path(file).parent == folder and name != "__main__"
    ]


def _run(task: _Task) -> _Outcome:
    outcome = _Outcome(task.setting.name, task.seed)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if multiprocessing.parent_process() is not None and in_main_thread:
        # Ctrl-C reaches every process of the group; the first one ends the others.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    env = None
    try:
        # What many runs print at once nobody can read.
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            env = _make(task.env)
            agent = task.agent(env, seed=task.seed, **task.setting.arguments)
            run = train(
                agent, env, task.episodes, batch_size=task.batch_size, seed=task.seed,
                evaluate_every=0, progress=False,
            )  # fmt: skip
        outcome.returns = [float(value) for value in run.returns]
        outcome.seconds = round(run.seconds, 2)
        outcome.interrupted = run.interrupted
    except Exception as error:
        outcome.error = f"{type(error).__name__}: {error}"
        outcome.trace = traceback.format_exc()
    finally:
        torch.set_num_threads(threads)
        if env is not None:
            env.close()
    return outcome


def _failure(failed: list[_Outcome], table: pd.DataFrame, kept: "_Kept") -> SweepError:
    first = failed[0]
    message = f"the run of setting {first.setting!r} with seed {first.seed} failed ({first.error})"
    if failed[1:]:
        others = ", ".join(f"{run.setting!r} with seed {run.seed}" for run in failed[1:6])
        more = f" and {len(failed) - 6} more" if len(failed) > 6 else ""
        message += f"; so did {others}{more}"
    done = len(table[["setting", "seed"]].drop_duplicates())
    error = SweepError(f"{message}; {_where(done, kept)}", table)
    error.add_note(f"Where it failed:\n{first.trace}")
    return error


def _where(done: int, kept: "_Kept") -> str:
    where = f"kept in {kept.path.name}" if kept.path is not None else "in this error's .table"
    return f"runs that finished: {done}, {where}"


def _table(finished: Mapping[tuple[str, int], _Outcome], order: list) -> pd.DataFrame:
    rows = [
        (setting, seed, episode, value, finished[setting, seed].seconds)
        for setting, seed in order
        if (setting, seed) in finished
        for episode, value in enumerate(finished[setting, seed].returns)
    ]
    types = {"setting": str, "seed": int, "episode": int, "return": float, "seconds": float}
    return pd.DataFrame(rows, columns=COLUMNS).astype(types)


def _make(env: str | EnvFactory) -> gym.Env:
    return make_env(env) if isinstance(env, str) else env()


# --- what is kept ---------------------------------------------------------------------------------


@dataclass
class _Kept:
    """The file of a sweep: a line "# {json}" that says what was run, then the table as CSV."""

    path: Path | None = None
    header: dict[str, Any] = field(default_factory=dict)
    outcomes: dict[tuple[str, int], _Outcome] = field(default_factory=dict)
    unwritten: bool = False

    @classmethod
    def open(
        cls,
        path: str | Path | None,
        settings: list[Setting],
        agent: Callable[..., Any],
        env: str | EnvFactory,
        episodes: int,
        batch_size: int,
    ) -> "_Kept":
        """Read the file where there is one; refuse it where it belongs to another experiment."""
        if path is None:
            return cls()
        path = Path(path)
        if not path.parent.is_dir():
            raise ValueError(f"keep: there is no folder {path.parent}; make it first")
        if path.is_dir():
            raise ValueError(f"keep: {path} is a folder; give the name of a file in it")
        made_with = {"versions": versions(), "machine": machine()}
        header = {
            "env": _env_name(env),
            "episodes": episodes,
            "batch_size": batch_size,
            "settings": {setting.name: dict(setting.arguments) for setting in settings},
            "agent": getattr(agent, "__name__", type(agent).__name__),
            "made_with": [made_with],
        }
        if not path.exists():
            return cls(path, header)
        old, outcomes = _read_kept(path)
        changed = [key for key in ("env", "episodes", "batch_size") if old[key] != header[key]]
        changed += [
            f"setting {name!r}"
            for name, arguments in header["settings"].items()
            if old["settings"].get(name, arguments) != arguments
        ]
        if changed:
            raise ValueError(
                f"{path.name} belongs to another experiment ({', '.join(changed)} differs); "
                "give another file name as keep, or delete that file"
            )
        header["settings"] = {**old["settings"], **header["settings"]}
        if made_with in old["made_with"]:
            header["made_with"] = old["made_with"]
        else:
            header["made_with"] = [*old["made_with"], made_with]
        return cls(path, header, outcomes)

    def add(self, outcome: _Outcome) -> None:
        """Take in a finished run and write the file."""
        self.outcomes[outcome.setting, outcome.seed] = outcome
        self.unwritten = self.path is not None
        # A spreadsheet that has the file open may block it for a while; the next run tries again.
        with contextlib.suppress(PermissionError):
            self.write()

    def write(self) -> None:
        """Write the whole file, all or nothing, if there is something new."""
        if not self.unwritten:
            return
        partial = self.path.with_name(self.path.name + ".partial")
        with partial.open("w", encoding="utf-8", newline="") as file:
            file.write(f"# {json.dumps(self.header)}\n")
            _table(self.outcomes, list(self.outcomes)).to_csv(file, index=False, na_rep="nan")
        partial.replace(self.path)
        self.unwritten = False


def _read_kept(path: Path) -> tuple[dict[str, Any], dict[tuple[str, int], _Outcome]]:
    """Read a kept sweep; nothing is unpickled, every size is bounded, unfinished runs left out."""
    runs: dict[tuple[str, int], _Outcome] = {}
    broken = set()
    try:
        size = path.stat().st_size
        if size > MAX_KEPT_BYTES:
            raise ValueError(f"it has {size} bytes")
        with path.open(encoding="utf-8", newline="") as file:
            header = _read_header(file.readline())
            # The csv module reads every float exactly as it was written, NaN too.
            rows = csv.reader(file)
            if next(rows, None) != COLUMNS:
                raise ValueError(f"its columns are not {', '.join(COLUMNS)}")
            for number, (setting, seed, episode, value, seconds) in enumerate(rows, start=1):
                if number > MAX_KEPT_ROWS:
                    raise ValueError(f"it has more than {MAX_KEPT_ROWS} rows")
                key = setting, _seed(int(seed))
                run = runs.setdefault(key, _Outcome(*key, seconds=float(seconds)))
                if int(episode) != len(run.returns):
                    broken.add(key)
                run.returns.append(float(value))
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise ValueError(
            f"{path.name} holds no sweep ({error}); give another file name as keep, or delete it"
        ) from None
    whole = header["episodes"]
    finished = {
        key: run for key, run in runs.items() if key not in broken and len(run.returns) == whole
    }
    return header, finished


def _read_header(line: str) -> dict[str, Any]:
    kinds = {"env": str, "episodes": int, "batch_size": int, "settings": dict, "made_with": list}
    header = json.loads(line[2:]) if line.startswith("# {") else {}
    if any(not isinstance(header.get(key), kind) for key, kind in kinds.items()):
        raise ValueError("its first line does not say what was run")
    return header


def _env_name(env: str | EnvFactory) -> str:
    """What tells environments apart in a kept file; for a factory, its name only."""
    if isinstance(env, str):
        return env
    factory = getattr(env, "func", env)  # of a functools.partial
    return f"{getattr(factory, '__qualname__', type(factory).__name__)}()"


# --- what can be wrong before anything starts -----------------------------------------------------


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _checked_settings(settings: Sequence[Setting], agent: Callable[..., Any]) -> list[Setting]:
    if isinstance(settings, Setting):
        raise TypeError(f"settings must be a list: [Setting({settings.name!r}, ...)]")
    settings = list(settings)
    if not settings:
        raise ValueError("there are no settings; give at least one Setting")
    for setting in settings:
        if not isinstance(setting, Setting):
            raise TypeError(
                f'settings holds {setting!r}; write Setting("a name", tau=0.1) for each of them'
            )
    names = [setting.name for setting in settings]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"two settings have the name {repeated[0]!r}; give each a name of its own")
    if not callable(agent):
        raise TypeError(
            f"agent must be the agent's class, such as DDPGAgent, not {type(agent).__name__}"
        )
    for setting in settings:
        _check_arguments(setting, agent)
    return settings


def _check_arguments(setting: Setting, agent: Callable[..., Any]) -> None:
    parameters = inspect.signature(agent).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    name = getattr(agent, "__name__", type(agent).__name__)
    if "seed" not in parameters and not takes_any:
        raise TypeError(f"{name} takes no argument seed; sweep needs one to tell runs apart")
    first = next(iter(parameters), None)
    for key, value in setting.arguments.items():
        where = f"setting {setting.name!r}: "
        if key == "seed" or key == first:
            raise ValueError(f"{where}{key} is set by sweep; leave it out")
        if key not in parameters and not takes_any:
            known = ", ".join(p for p in parameters if p not in ("seed", first))
            raise ValueError(f"{where}{name} takes no argument {key}; it takes {known}")
        # bool is a kind of int in Python
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if key.endswith("learning_rate") and not (is_number and 0 < value < float("inf")):
            raise ValueError(f"{where}{key} must be a number above 0, not {value!r}")
        if key in ("tau", "gamma") and not (is_number and 0 <= value <= 1):
            raise ValueError(f"{where}{key} must be a number from 0 to 1, not {value!r}")
        is_size = isinstance(value, int) and is_number and value >= 1
        if key in ("hidden_size", "max_memory_size") and not is_size:
            raise ValueError(f"{where}{key} must be a whole number of at least 1, not {value!r}")


    try:
        inspect.signature(agent).bind(None, seed=0, **setting.arguments)
    except TypeError as error:
        raise TypeError(
            f"setting {setting.name!r}: {name} cannot be called as {name}(env, seed=..., "
            f"{', '.join(f'{key}=...' for key in setting.arguments)}): {error}"
        ) from None


def _checked_seeds(seeds: Iterable[int]) -> list[int]:
    if isinstance(seeds, int | np.integer):
        raise TypeError(f"seeds must be several numbers: write range({seeds}) or [{seeds}]")
    seeds = [_plain(seed) for seed in seeds]
    if not seeds:
        raise ValueError("there are no seeds; give at least one, such as range(3)")
    for seed in seeds:
        _seed(seed)
        if seeds.count(seed) > 1:
            raise ValueError(f"seed {seed} is there twice; a run with it would be the same again")
    return seeds


def _seed(seed: Any) -> int:
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**31:
        raise ValueError(f"a seed must be a whole number from 0 to 2**31 - 1, not {seed!r}")
    return seed


def _check_env(env: str | EnvFactory) -> None:
    if not isinstance(env, str) and (isinstance(env, gym.Env) or not callable(env)):
        raise TypeError(
            "env must be the name of an environment, or a function that makes one; "
            f"it is a {type(env).__name__}"
        )
    try:
        made = _make(env)
    except gym.error.Error as error:
        raise ValueError(f"gymnasium cannot make the environment {env!r}: {error}") from None
    try:
        space = made.action_space
        if not isinstance(space, Box):
            raise TypeError(
                f"{_env_name(env)} has discrete actions ({space}); DDPG needs continuous ones, "
                "such as those of Pendulum-v1"
            )
        if not (np.all(space.low == -1) and np.all(space.high == 1)):
            raise ValueError(
                f"{_env_name(env)} has actions from {space.low} to {space.high}; the agent's lie "
                "in [-1, 1]: wrap it in gymnasium.wrappers.RescaleAction, as make_env does"
            )
    finally:
        made.close()


def _check_memory(
    settings: list[Setting],
    agent: Callable[..., Any],
    env: str | EnvFactory,
    episodes: int,
    batch_size: int,
) -> None:
    """Updates begin when the memory holds more than a batch: this must be possible."""
    parameter = inspect.signature(agent).parameters.get("max_memory_size")
    default = parameter.default if parameter is not None else None
    limit = None
    if isinstance(env, str):
        limit = gym.spec(env).max_episode_steps
    for setting in settings:
        size = setting.arguments.get("max_memory_size", default)
        if isinstance(size, int) and size <= batch_size:
            raise ValueError(
                f"setting {setting.name!r}: the memory holds at most {size} transitions, so it "
                f"never holds more than a batch of {batch_size} and nothing is ever learnt; take a "
                "smaller batch_size or a larger max_memory_size"
            )
    if limit is not None and episodes * limit <= batch_size:
        raise ValueError(
            f"{episodes} episodes of at most {limit} steps never fill more than a batch of "
            f"{batch_size}, so nothing is ever learnt; take a smaller batch_size or more episodes"
        )
