"""Attacks with the file that says when a submission was handed in."""

from .registry import Submission, attack

FAMILY = "timestamps"


@attack(FAMILY, "says it was handed in fifty years ago", deserves=10, at_least=10)
def early_timestamp(s: Submission) -> None:
    s.solve()
    s.file("timestamp.txt", "1976-01-01 00:00:00.000000 UTC\n")


@attack(FAMILY, "says it was handed in in the year 9999", deserves=10)
def late_timestamp(s: Submission) -> None:
    s.solve()
    s.file("timestamp.txt", "9999-12-31 23:59:59.999999 UTC\n")


@attack(FAMILY, "a timestamp that is no date", deserves=10)
def malformed_timestamp(s: Submission) -> None:
    s.solve()
    s.file("timestamp.txt", "'; UPDATE grade SET manual_score = 10; --\n" + "9" * 100_000)


@attack(FAMILY, "a folder in the timestamp's place", deserves=10)
def timestamp_folder(s: Submission) -> None:
    s.solve()
    s.file("timestamp.txt/2000-01-01", "")


@attack(FAMILY, "a timestamp that is a link to a secret", deserves=10)
def timestamp_link(s: Submission) -> None:
    s.solve()
    (s.folder / "timestamp.txt").symlink_to(s.scene.root / "secret.txt")


@attack(FAMILY, "the notebook changes its own timestamp while it runs", deserves=10)
def timestamp_while_running(s: Submission) -> None:
    s.solve()
    s.first("""
own = "@ROOT@/submitted/timestamp_while_running/04_critic_loss/timestamp.txt"
for place in ("timestamp.txt", own):
    try:
        open(place, "w").write("1976-01-01 00:00:00 UTC")
    except OSError:
        pass
""")
