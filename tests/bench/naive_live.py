"""The portal with the live view that one writes first: a group a run, and each viewer reads for itself at each ring.

The reference of portal_viewers: server, rows, permission and frames are the same, only who reads and when is not.
Options: those of portal.server.
"""

# daphne.server installs the event loop when it is imported, so it comes first (portal/server.py).
from daphne import server as _daphne  # noqa: F401, I001
from portal.asgi import application as _application  # noqa: F401 - loads the models for what follows

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from bert_training.live.consumers import RunConsumer
from bert_training.live.feed import Cursor, read_frame
from bert_training.services import jobs, telemetry
from portal import server


def ring_naively(run_id: int) -> None:
    """Tell every viewer of the run through the channel layer."""
    layer = get_channel_layer()
    assert layer is not None
    async_to_sync(layer.group_send)(f"naive.{run_id}", {"type": "run.changed"})


async def send_frames_naively(consumer: RunConsumer, cursor: Cursor) -> None:
    """Read for one open page, at each ring."""
    layer = get_channel_layer()
    assert layer is not None
    channel = await layer.new_channel()
    await layer.group_add(f"naive.{consumer.run_id}", channel)
    while True:
        frame = await database_sync_to_async(read_frame)(consumer.run_id, cursor, "en")
        cursor = frame.next
        await consumer.send(text_data=frame.text)
        if not frame.is_full:
            await layer.receive(channel)


if __name__ == "__main__":
    for module in (jobs, telemetry):
        setattr(module, "ring", ring_naively)  # noqa: B010 - mypy knows that modules do not export it
    setattr(RunConsumer, "_send_frames", send_frames_naively)  # noqa: B010 - mypy knows methods, too
    server.main()
