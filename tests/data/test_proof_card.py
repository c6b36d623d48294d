"""What the card says of intervals, baselines and probabilities, from a proof alone."""

from copy import deepcopy
from typing import Any, cast

import pytest

from bert_training.data.proof.shape import Proof
from bert_training.data.proof_card import baseline_rows, calibration_sentence, gain_sentence, interval, interval_note

FIGURE = {"value": 0.8, "low": 0.75, "high": 0.85}
UNKNOWN = {"value": None, "low": None, "high": None}
PROOF: dict[str, Any] = {
    "metric": "f1_macro",
    "units": 412,
    "is_few": False,
    "figures": {"f1_macro": FIGURE},
    "baselines": [
        {"source": "frequent", "figures": {"f1_macro": {**UNKNOWN, "value": 0.2}}},
        {"source": "linear", "figures": {"f1_macro": {"value": 0.7, "low": 0.65, "high": 0.75}}},
    ],
    "gain": {"over": "linear", "value": 0.1, "low": 0.04, "high": 0.153, "is_shown": True},
    "calibration": {"temperature": 1.5, "has_biases": True, "before": 0.08, "after": 0.02, "bins": []},
}


def proof(**changes: Any) -> Proof:
    return cast(Proof, deepcopy(PROOF) | changes)


def test_intervals_are_written_as_in_brazil_and_say_what_they_count() -> None:
    assert interval(proof()["figures"]["f1_macro"]) == "0,7500 a 0,8500"
    assert interval(None) == ""
    assert "412 exemplos de teste" in interval_note(proof())
    assert "Poucos exemplos" in interval_note(proof(is_few=True))
    assert "Poucos exemplos" not in interval_note(proof())


def test_baselines_stand_with_what_is_known_of_them() -> None:
    assert baseline_rows(proof()) == [
        ("resposta mais frequente", "0,2000", ""),
        ("método linear", "0,7000", "0,6500 a 0,7500"),
    ]
    assert baseline_rows(proof(metric="mcc"))[1] == ("método linear", "", "")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Ganho em `f1_macro` sobre o método linear: 10,0 pontos (entre 4,0 e 15,3).\n"),
        (
            {"gain": {"over": "frequent", "value": -0.01, "low": -0.05, "high": 0.02, "is_shown": False}},
            "Ganho não demonstrado em `f1_macro` sobre a resposta mais frequente: -1,0 pontos (entre -5,0 e 2,0).\n",
        ),
        ({"gain": None}, "Não foi comparado com um método simples.\n"),
    ],
)
def test_a_gain_that_may_be_chance_is_not_called_one(changes: dict[str, Any], sentence: str) -> None:
    assert gain_sentence(proof(**changes)) == sentence


def test_what_calibration_did_is_said() -> None:
    assert "temperatura 1,5000 e um viés por classe" in calibration_sentence(proof())
    assert "0,0800 antes, 0,0200 depois" in calibration_sentence(proof())
    known = {**PROOF["calibration"], "before": None, "has_biases": False}
    assert calibration_sentence(proof(calibration=known)).endswith("no conjunto de teste: 0,0200.\n")
    untouched = {**known, "temperature": 1.0}
    for calibration in (None, untouched):
        assert calibration_sentence(proof(calibration=calibration)) == "As probabilidades não foram calibradas.\n"
