"""The sections of a model card that say how far its figures can be trusted, in Portuguese, from a run's proof."""

from bert_training.data.proof.shape import Figure, Gain, Proof

BASELINE_NAMES = {"frequent": "resposta mais frequente", "linear": "método linear"}
POINTS = 100

INTERVALS = """\
Intervalos de 95 % por reamostragem de {units} exemplos de teste; textos quase iguais e linhas do mesmo grupo contam
como um.{few}
"""
FEW = " Poucos exemplos: os números podem ser acaso."
NOTHING = "Não foi comparado com um método simples.\n"
CALIBRATED = (
    "As probabilidades foram calibradas com o conjunto de validação (temperatura {temperature}{biases}), o que já está "
    "nos pesos desta pasta.{errors}\n"
)
ERRORS = (
    " Erro de calibração (ECE, 15 faixas com o mesmo número de exemplos) no conjunto de teste: {before} antes, "
    "{after} depois."
)
ERROR = " Erro de calibração (ECE, 15 faixas com o mesmo número de exemplos) no conjunto de teste: {after}."
NOT_CALIBRATED = "As probabilidades não foram calibradas.\n"


def interval(figure: Figure | None) -> str:
    """Write the 95 % interval of a figure; empty where there is none."""
    if figure is None or figure["low"] is None or figure["high"] is None:
        return ""
    return f"{number(figure['low'])} a {number(figure['high'])}"


def interval_note(proof: Proof) -> str:
    """Say what the intervals are."""
    return INTERVALS.format(units=proof["units"], few=FEW if proof["is_few"] else "")


def baseline_rows(proof: Proof) -> list[tuple[str, str, str]]:
    """Return method, value of the deciding metric and its interval, of each baseline."""
    found = []
    for baseline in proof["baselines"]:
        figure = baseline["figures"].get(proof["metric"])
        value = "" if figure is None or figure["value"] is None else number(figure["value"])
        found.append((BASELINE_NAMES.get(baseline["source"], baseline["source"]), value, interval(figure)))
    return found


def gain_sentence(proof: Proof) -> str:
    """Say by how much the network is better than the best baseline, or that this is not shown."""
    gain = proof["gain"]
    if gain is None or gain["value"] is None or gain["low"] is None or gain["high"] is None:
        return NOTHING
    verdict = "Ganho" if gain["is_shown"] else "Ganho não demonstrado"
    return f"{verdict} em `{proof['metric']}` sobre {_over(gain)}: {_points(gain)}.\n"


def calibration_sentence(proof: Proof) -> str:
    """Say what was folded into the last layer and what it changed on test."""
    found = proof["calibration"]
    if found is None or (found["temperature"] == 1 and not found["has_biases"]):
        return NOT_CALIBRATED
    after, errors = found["after"], ""
    if after is not None:
        before = found["before"]
        pattern = ERROR if before is None else ERRORS
        errors = pattern.format(before=number(before or 0.0), after=number(after))
    biases = " e um viés por classe" if found["has_biases"] else ""
    return CALIBRATED.format(temperature=number(found["temperature"]), biases=biases, errors=errors)


def number(value: float) -> str:
    """Write a figure as it is written in Brazil."""
    return f"{value:.4f}".replace(".", ",")


def _over(gain: Gain) -> str:
    name = BASELINE_NAMES.get(gain["over"], gain["over"])
    return f"a {name}" if gain["over"] == "frequent" else f"o {name}"


def _points(gain: Gain) -> str:
    value, low, high = (f"{POINTS * (gain[name] or 0.0):.1f}".replace(".", ",") for name in ("value", "low", "high"))
    return f"{value} pontos (entre {low} e {high})"
