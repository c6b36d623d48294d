"""What a route asks of its callers. Written apart from access.py: two who agree, not one who repeats itself."""

from dataclasses import dataclass

from tests.access.callers import ANONYMOUS, CALLERS, PEOPLE, WORKERS

PASSES, SIGN_IN, FORBIDDEN, NOT_FOUND = "passes", "sign in", "forbidden", "not found"

TRAINERS = frozenset({"owner", "mate_view", "mate_use", "mate_manage", "stranger", "staff", "superuser"})
READERS = TRAINERS | {"viewer"}
STAFF = frozenset({"staff", "superuser"})


@dataclass(frozen=True)
class Rule:
    """Who passes; to whom the row does not exist. Everybody else is refused."""

    passes: frozenset[str]
    blind: frozenset[str] = frozenset()

    def outcome(self, caller: str) -> str:
        """Return how far a caller gets."""
        if caller in self.passes:
            return PASSES
        if caller == ANONYMOUS:
            return SIGN_IN
        return NOT_FOUND if caller in self.blind else FORBIDDEN


def _row(*mates: str) -> Rule:
    """Return the rule of a row that its owner, staff and some of its teams reach."""
    return Rule(STAFF | {"owner", *mates}, blind=frozenset({"norole", "stranger", "operator"}))


EVERYBODY = Rule(frozenset(CALLERS))
PEOPLE_ONLY = Rule(frozenset(PEOPLE))
READER = Rule(READERS)
ANY_ROLE = Rule(READERS | {"operator"})
TRAINER = Rule(TRAINERS)
OPERATOR = Rule(STAFF | {"operator"})
STAFF_ONLY = Rule(STAFF)
VIEW = _row("viewer", "mate_view", "mate_use", "mate_manage")
USE = _row("mate_use", "mate_manage")
MANAGE = _row("mate_manage")
# What belongs to a person alone, staff have doors of their own to it.
OWN = Rule(frozenset({"owner"}), blind=frozenset(PEOPLE) - {"owner"})
OWNER_OR_STAFF = Rule(STAFF | {"owner"}, blind=frozenset(PEOPLE))
SETTLE = Rule(STAFF, blind=frozenset(PEOPLE) - {"owner"})  # the owner sees it, and may not
WORKER = Rule(frozenset(WORKERS))
HOLDER = Rule(frozenset({"holder"}), blind=frozenset({"other_worker"}))
# People by their right to the row, a worker while it holds a job on it.
VIEW_OR_HOLDER = Rule(VIEW.passes | {"holder"}, blind=VIEW.blind | {"other_worker"})
