"""Does what background work does with notifications: announces what was noted, sends what is on its way."""

from bert_training import background
from bert_training.contract.enums import DispatchState, NoticeKind
from bert_training.models import Dispatch, Occurrence, Webhook
from bert_training.services.notifying.webhooks import give_secret
from tests.receiver import Receiver


def announce_all() -> None:
    """Announce until nothing is left: an announcement may note another."""
    while keys := list(Occurrence.objects.filter(announced_at__isnull=True).values_list("key", flat=True)):
        for key in keys:
            background.announce(key)


def send_all() -> None:
    """Make one attempt at everything that is due."""
    for pk in Dispatch.objects.filter(state=DispatchState.PENDING).values_list("pk", flat=True):
        background.send_dispatch(pk)


def tell_all() -> None:
    """Announce and send."""
    announce_all()
    send_all()


def make_webhook(receiver: Receiver, *kinds: NoticeKind, **fields: object) -> tuple[Webhook, str]:
    """Store a webhook of a receiver within the house; returns it and its secret."""
    chosen = kinds or tuple(NoticeKind)
    webhook = Webhook(name="intranet", url=f"http://{receiver.host}/hook", kinds=[*chosen], **fields)
    secret = give_secret(webhook)
    webhook.save()
    return webhook, secret
