"""Makes one attempt at an e-mail or a call of a webhook, whichever it is."""

from bert_training.contract.enums import DispatchState
from bert_training.models import Dispatch
from bert_training.services.notifying.dispatches import begin, settle
from bert_training.services.notifying.mailing import mail
from bert_training.services.notifying.webhooks import call_webhook


def send(pk: int) -> bool:
    """Make an attempt if it is time for one; tells whether it arrived."""
    dispatch: Dispatch | None = begin(pk)
    if dispatch is None:
        return False
    settle(dispatch, call_webhook(dispatch) if dispatch.webhook_id is not None else mail(dispatch))
    return dispatch.state == DispatchState.SENT
