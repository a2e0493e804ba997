"""Record the sweep that unit 07 draws: the original tutorial's five settings with many seeds."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import joblib
import pandas as pd

import ddpg_helpers
from ddpg_helpers.experiments import COLUMNS, Setting, machine, sweep, versions
from ddpg_helpers.instructor.reference.agent import DDPGAgent

OUT = Path(ddpg_helpers.__file__).parent / "data" / "original_settings.csv.gz"
ENV = "Pendulum-v1"
BATCH_SIZE = 128
_COMMON = {"hidden_size": 256, "gamma": 0.99, "max_memory_size": 50_000}
SETTINGS = [
    Setting("default", actor_learning_rate=1e-4, critic_learning_rate=1e-3, tau=1e-2, **_COMMON),
    Setting(
        "swapped rates", actor_learning_rate=1e-3, critic_learning_rate=1e-4, tau=1e-2, **_COMMON
    ),
    Setting(
        "equal rates", actor_learning_rate=1e-3, critic_learning_rate=1e-3, tau=1e-2, **_COMMON
    ),
    Setting("tau 1", actor_learning_rate=1e-4, critic_learning_rate=1e-3, tau=1.0, **_COMMON),
    Setting("tau 1e-5", actor_learning_rate=1e-4, critic_learning_rate=1e-3, tau=1e-5, **_COMMON),
]


def record(
    out: str | Path = OUT,
    seeds: Iterable[int] = range(20),
    episodes: int = 50,
    jobs: int | None = None,
    scheduler: str | None = None,
) -> pd.DataFrame:
    """Run the five settings with each seed and write the table to ``out``, JSON beside it.

    A seed is written when all its settings are done, so the table is balanced at any moment. A
    second call goes on where an interrupted one stopped; seeds that ``out`` holds are not run
    again.

    Args:
        out: the table, "NAME.csv.gz"; what was run goes to "NAME.json".
        seeds: the seeds that the table is to hold.
        episodes: episodes of each run.
        jobs: processes; None for one on each core.
        scheduler: address of a Dask scheduler whose workers do the runs; see ``sweep``.

    Returns:
        The table as it is written: the columns of ``sweep``, returns rounded to 0.01.

    Raises:
        ValueError: ``out`` has another ending, or was recorded with other settings.
    """
    out = Path(out)
    if not out.name.endswith(".csv.gz"):
        raise ValueError(f"out must end in .csv.gz, not {out.name}")
    stem = out.name.removesuffix(".csv.gz")
    facts_file = out.with_name(f"{stem}.json")
    work = out.with_name(f"{stem}_sweep.csv")  # each run as soon as it ends; gone at the end
    facts = {
        "env": ENV,
        "episodes": episodes,
        "batch_size": BATCH_SIZE,
        "settings": {setting.name: dict(setting.arguments) for setting in SETTINGS},
    }
    table = pd.DataFrame(columns=COLUMNS)
    made_with: list[dict] = []
    if out.exists():
        old = json.loads(facts_file.read_text(encoding="utf-8"))
        changed = [key for key, value in facts.items() if old.get(key) != value]
        if changed:
            raise ValueError(
                f"{out.name} was recorded with another {', '.join(changed)}; move it away first"
            )
        table, made_with = pd.read_csv(out), old["made_with"]
    here = {"versions": versions(), "machine": machine()}
    if here not in made_with:
        made_with = [*made_with, here]

    seeds = list(seeds)
    missing = [seed for seed in seeds if seed not in set(table["seed"])]
    # As many seeds at a time as processes: no process idles for long.
    together = joblib.cpu_count() if jobs is None else jobs
    for start in range(0, len(missing), together):
        now = missing[start : start + together]
        new = sweep(
            SETTINGS, now, DDPGAgent, env=ENV, episodes=episodes, batch_size=BATCH_SIZE, jobs=jobs,
            keep=work, scheduler=scheduler,
        )  # fmt: skip
        if len(new) < len(now) * len(SETTINGS) * episodes:  # interrupted; ``work`` has the rest
            return table
        table = pd.concat([table, new], ignore_index=True) if len(table) else new
        table = _in_order(table).round({"return": 2})
        facts |= {
            "seeds": sorted(int(seed) for seed in table["seed"].unique()),
            "seconds": round(float(table.drop_duplicates(["setting", "seed"])["seconds"].sum())),
            "made_with": made_with,
        }
        _write(out, facts_file, table, facts)
        print(f"{out.name}: {len(facts['seeds'])} seeds", flush=True)
    work.unlink(missing_ok=True)
    return table


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    place = {setting.name: number for number, setting in enumerate(SETTINGS)}
    keys = table.assign(place=table["setting"].map(place))
    order = keys.sort_values(["place", "seed", "episode"]).index
    return table.loc[order].reset_index(drop=True)


def _write(out: Path, facts_file: Path, table: pd.DataFrame, facts: dict) -> None:
    partial = out.with_name(out.name + ".partial")
    # mtime 0: the same table gives the same bytes.
    table.to_csv(partial, index=False, compression={"method": "gzip", "mtime": 0})
    facts_file.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    partial.replace(out)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and record."""
    parser = argparse.ArgumentParser(prog="record", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds: 0, 1, 2, ...")
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=None, help="processes; by default all cores")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that does it")
    chosen = parser.parse_args(arguments)
    record(chosen.out, range(chosen.seeds), chosen.episodes, chosen.jobs, chosen.scheduler)


if __name__ == "__main__":
    main()
