"""What templates ask about the reader: `rights.may_train` and the like. A button that would be refused is not drawn."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest

from bert_training import access
from bert_training.contract.enums import Role


@dataclass(frozen=True)
class Rights:
    """What somebody may do at all; asked only where a template asks."""

    user: User | AnonymousUser

    @property
    def may_read(self) -> bool:
        """Whether there is data or are runs to see."""
        return access.may_read(self.user)

    @property
    def may_train(self) -> bool:
        """Whether spreadsheets may be sent and runs started."""
        return access.may_train(self.user)

    @property
    def may_operate(self) -> bool:
        """Whether the queue may be ordered and computers be switched."""
        return access.may_operate(self.user)

    @property
    def may_administer(self) -> bool:
        """Whether the administration opens."""
        return access.may_administer(self.user)

    @property
    def has_role(self) -> bool:
        """Whether there is anything to see at all."""
        return any(access.has_role(self.user, role) for role in Role)


def rights(request: HttpRequest) -> dict[str, Rights]:
    """Give every template the rights of who reads it."""
    return {"rights": Rights(getattr(request, "user", AnonymousUser()))}
