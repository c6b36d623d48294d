"""The pictures of a run's result, together: those that its page shows, and each as a file."""

from django.http import Http404, HttpRequest, HttpResponse

from bert_training import access
from bert_training.charts.saving import ChartForm, send_chart
from bert_training.charts.shapes import Chart
from bert_training.data.proof.shape import Proof
from bert_training.models import Run, RunProof
from bert_training.pages import proof_charts, proof_curves, proof_matrix
from bert_training.pages.requests import page, person
from bert_training.pages.result_view import ResultView
from bert_training.services.proving.grades import graded, load_scales
from bert_training.services.proving.proof_summary import usable
from bert_training.tasks import TASKS
from bert_training.tasks.spec import TaskSpec


def charts_of(proof: Proof, spec: TaskSpec, *, graded_metric: str) -> dict[str, Chart]:
    """Return those pictures that there are, by name; the matrix stands in the page as a table."""
    drawn = (
        proof_charts.headline_chart(proof, spec, graded_metric),
        proof_charts.classes_chart(proof),
        proof_charts.coverage_chart(proof.get("coverage", []), is_entities="entities" in proof),
        proof_charts.reliability_chart(proof),
        proof_charts.errors_chart(proof),
        proof_curves.roc_chart(proof),
        proof_curves.precision_chart(proof),
    )
    return {chart.name: chart for chart in drawn if chart is not None}


@page
def download_chart(request: HttpRequest, pk: int, name: str, form: ChartForm) -> HttpResponse:
    """Send a picture of the result as a file, as the address says that it is looked at."""
    run = access.visible_run(person(request), pk)
    proof, spec = usable(RunProof.objects.filter(run=run).first()), TASKS.get(run.task)
    if proof is None or spec is None:
        raise Http404
    return send_chart(request, _chart(run, proof, spec, name, ResultView.of(request.GET)), form, of=run.name)


def _chart(run: Run, proof: Proof, spec: TaskSpec, name: str, view: ResultView) -> Chart | None:
    if name == proof_matrix.CHART:
        return proof_matrix.matrix_chart(run, proof, view)
    metric = graded(proof, load_scales(), task_metric=spec.best_metric).metric
    return charts_of(proof, spec, graded_metric=metric).get(name)
