"""Which kind of caller an address is for. What a person may see of the rows is access.py's matter."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from bert_training import access
from bert_training.api.authentication import calling_worker

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module while it loads


class IsPerson(BasePermission):
    """Somebody signed in, by session or own token; a worker is refused."""

    message = _("This address is for people, not for workers.")

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether the caller is an active user."""
        return access.is_person(request.user)


class IsMember(BasePermission):
    """Somebody with any role: what everybody in the house may know, and nobody else."""

    message = _("Nobody has given you a role yet. Ask those who administer the portal.")

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether the caller holds a role."""
        return bool(access.roles_of(request.user))


class IsTrainer(BasePermission):
    """Somebody who may bring data in and start runs."""

    message = _("This is for people who may train; you may look at what is shared with you.")

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether the caller is a person who may train."""
        return access.may_train(request.user)


class IsStaff(BasePermission):
    """Somebody who administers the portal."""

    message = _("This address is for those who administer the portal.")

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether the caller is staff."""
        return access.may_administer(request.user)


class IsOperator(BasePermission):
    """Somebody who runs the workers and the queue."""

    message = _("This address is for operators.")

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether the caller is a person who may operate."""
        return access.may_operate(request.user)


class IsWorker(BasePermission):
    """A registered worker by its token; people are refused."""

    message = _("This address is for workers.")

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether the caller sent a worker's token."""
        return calling_worker(request) is not None


class IsPersonOrWorker(BasePermission):
    """Either; the view answers each in its own way."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether anybody is known."""
        return access.is_person(request.user) or calling_worker(request) is not None
