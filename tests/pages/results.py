"""Runs with a result, as tests of their pages need them."""

from typing import Any

from django.test import Client

from bert_training.contract.enums import ProofStatus
from bert_training.data.proof.shape import Proof
from bert_training.models import Run, RunProof


def prove(run: Run, proof: Proof, **fields: Any) -> Run:
    """Give a completed run this proof."""
    RunProof.objects.create(run=run, status=ProofStatus.READY, content=proof, key="proofs/x.parquet", **fields)
    return run


def page_of(client: Client, run: Run, query: str = "") -> str:
    """Return the page of a run."""
    response = client.get(f"/runs/{run.pk}{query}")
    assert response.status_code == 200
    return str(response.content.decode())
