"""F-42: the counter of the kernel is found in control groups of both versions, and missed in peace elsewhere."""

from pathlib import Path

import pytest

from bert_training.worker.memory_kills import count_memory_kills

V1 = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"
V2 = "low 0\nhigh 0\nmax 7\noom 2\noom_kill {}\noom_group_kill 0\n"


@pytest.mark.parametrize(
    ("groups", "place", "content"),
    [
        ("4:cpu,memory:/office\n1:name=systemd:/\n", "memory/office/memory.oom_control", V1),
        ("4:memory:/docker/0a1b\n0::/\n", "memory/memory.oom_control", V1),  # a container sees its group as the top
        ("0::/user.slice/worker.service\n", "user.slice/worker.service/memory.events", V2),
        ("0::/\n", "memory.events", V2),
    ],
)
def test_the_counter_of_our_own_group_is_read(tmp_path: Path, groups: str, place: str, content: str) -> None:
    (tmp_path / "groups").write_text(groups)
    counter = tmp_path / "root" / place
    counter.parent.mkdir(parents=True)
    for kills in (0, 3):
        counter.write_text(content.format(kills))
        assert count_memory_kills(tmp_path / "groups", tmp_path / "root") == kills


@pytest.mark.parametrize("groups", [None, "", "4:cpu:/\n", "4:memory:/gone\n"])
def test_where_nobody_counts_there_are_none(tmp_path: Path, groups: str | None) -> None:
    if groups is not None:
        (tmp_path / "groups").write_text(groups)
    assert count_memory_kills(tmp_path / "groups", tmp_path / "root") == 0
