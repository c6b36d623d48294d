"""What was computed from files is kept as long as there is room, and made once."""

from bert_training.services.answers.recent import Recent


def test_what_was_asked_for_last_is_kept_and_not_made_again() -> None:
    made: list[str] = []

    def ask(name: str, weight: int = 1) -> str:
        return recent.get(name, lambda: made.append(name) or name, lambda _value: weight)  # type: ignore[func-returns-value]

    recent: Recent[str] = Recent(2)
    for name in ("a", "b", "a", "c", "a", "b"):
        assert ask(name) == name
    assert made == ["a", "b", "c", "b"]
    ask("too heavy", weight=3)
    ask("too heavy", weight=3)
    assert made[4:] == ["too heavy", "too heavy"]
    recent.clear()
    ask("b")
    assert made[6:] == ["b"]
