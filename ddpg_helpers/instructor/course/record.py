"""Record the sweeps that unit 07 draws: the original tutorial's five settings, and the bug gallery.
"""

import argparse
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import joblib
import pandas as pd

import ddpg_helpers
from ddpg_helpers.experiments import COLUMNS, Setting, machine, sweep, versions
from ddpg_helpers.instructor.mutants import mutants_of
from ddpg_helpers.instructor.mutants.agent import InPieces
from ddpg_helpers.instructor.reference.agent import DDPGAgent
from ddpg_helpers.memory import Batch

DATA = Path(ddpg_helpers.__file__).parent / "data"
ENV = "Pendulum-v1"
BATCH_SIZE = 128
_COMMON = {"hidden_size": 256, "gamma": 0.99, "max_memory_size": 50_000}
ORIGINAL_SETTINGS = [
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

# The letters of unit 07 and the bugs behind them, in no order that would tell.
GALLERY = [
    Setting("A", bug="critic_loss_summed"),
    Setting("B", bug="flat_rewards"),
    Setting("C", bug="terminal_mask_lost"),
    Setting("D", bug="online_networks_in_the_target"),
    Setting("E", bug="none"),
    Setting("F", bug="actor_sign_missing"),
    Setting("G", bug="actor_through_the_target_critic"),
    Setting("H", bug="critic_zero_grad_missing"),
    Setting("I", bug="critic_target_forgotten"),
]


class FlatRewards(InPieces):
    """Rewards of shape [N] beside values of shape [N, 1]: the target broadcasts to [N, N]."""

    def update_critic(self, batch: Batch) -> float:
        return super().update_critic(batch._replace(rewards=batch.rewards.squeeze(1)))


class CriticLossSummed(InPieces):
    """The critic's loss is a sum over the batch, N times the mean."""

    def update_critic(self, batch: Batch) -> float:
        loss = len(batch.states) * self.critic_loss(batch)
        self.critic_optimizer.zero_grad()
        loss.backward()
        self.critic_optimizer.step()
        return loss.item()


def agents() -> dict[str, type[DDPGAgent]]:
    """The agents of the gallery by what is wrong with them: mutants, and two that the bank has as
    mutants of unit 04's functions."""
    return {
        "none": DDPGAgent,
        "flat_rewards": FlatRewards,
        "critic_loss_summed": CriticLossSummed,
        **{mutant.name: mutant.answer for mutant in mutants_of("DDPGAgent.update")},
    }


def agent_with(env: gym.Env, seed: int, bug: str) -> DDPGAgent:
    """Make an agent with the default settings and one bug, or "none"."""
    return agents()[bug](env, seed=seed)


@dataclass(frozen=True)
class Recording:
    """What is recorded under a name: settings, the agent that takes them, and how many seeds."""

    settings: list[Setting]
    agent: Callable[..., Any]
    seeds: int


RECORDINGS = {
    "original_settings": Recording(ORIGINAL_SETTINGS, DDPGAgent, seeds=20),
    "bug_gallery": Recording(GALLERY, agent_with, seeds=10),
}


def record(
    name: str,
    seeds: Iterable[int] | None = None,
    episodes: int = 50,
    jobs: int | None = None,
    scheduler: str | None = None,
    folder: str | Path = DATA,
) -> pd.DataFrame:
    """Run a recording's settings with each seed; write the table, and JSON beside it.

    A seed is written when all its settings are done, so the table is balanced at any moment. A
    second call goes on where an interrupted one stopped; seeds that the table holds are not run
    again.

    Args:
        name: one of ``RECORDINGS``; the table is "NAME.csv.gz", what was run goes to "NAME.json".
        seeds: the seeds that the table is to hold; by default as many as the recording says.
        episodes: episodes of each run.
        jobs: processes; None for one on each core.
        scheduler: address of a Dask scheduler whose workers do the runs; see ``sweep``.
        folder: where the table goes.

    Returns:
        The table as it is written: the columns of ``sweep``, returns rounded to 0.01.

    Raises:
        ValueError: there is no such recording, or the table was recorded with other settings.
    """
    if name not in RECORDINGS:
        raise ValueError(f"there is no recording {name!r}; there are {', '.join(RECORDINGS)}")
    recording = RECORDINGS[name]
    out = Path(folder, f"{name}.csv.gz")
    facts_file = Path(folder, f"{name}.json")
    work = Path(folder, f"{name}_sweep.csv")  # each run as soon as it ends; gone at the end
    facts = {
        "env": ENV,
        "episodes": episodes,
        "batch_size": BATCH_SIZE,
        "settings": {setting.name: dict(setting.arguments) for setting in recording.settings},
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

    seeds = range(recording.seeds) if seeds is None else seeds
    missing = [seed for seed in seeds if seed not in set(table["seed"])]
    # As many seeds at a time as processes: no process idles for long.
    together = joblib.cpu_count() if jobs is None else jobs
    for start in range(0, len(missing), together):
        now = missing[start : start + together]
        new = sweep(
            recording.settings, now, recording.agent, env=ENV, episodes=episodes,
            batch_size=BATCH_SIZE, jobs=jobs, keep=work, scheduler=scheduler,
        )  # fmt: skip
        if len(new) < len(now) * len(recording.settings) * episodes:  # ``work`` has the rest
            return table
        table = pd.concat([table, new], ignore_index=True) if len(table) else new
        table = _in_order(table, recording.settings).round({"return": 2})
        facts |= {
            "seeds": sorted(int(seed) for seed in table["seed"].unique()),
            "seconds": round(float(table.drop_duplicates(["setting", "seed"])["seconds"].sum())),
            "made_with": made_with,
        }
        _write(out, facts_file, table, facts)
        print(f"{out.name}: {len(facts['seeds'])} seeds", flush=True)
    work.unlink(missing_ok=True)
    return table


def _in_order(table: pd.DataFrame, settings: list[Setting]) -> pd.DataFrame:
    place = {setting.name: number for number, setting in enumerate(settings)}
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
    parser.add_argument("name", choices=RECORDINGS)
    parser.add_argument("--seeds", type=int, help="how many seeds: 0, 1, 2, ...")
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=None, help="processes; by default all cores")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that does it")
    chosen = parser.parse_args(arguments)
    seeds = None if chosen.seeds is None else range(chosen.seeds)
    record(chosen.name, seeds, chosen.episodes, chosen.jobs, chosen.scheduler)


if __name__ == "__main__":
    main()
