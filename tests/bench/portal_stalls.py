"""Part of the portal's benchmark: is a job ever completed twice when computers stall past their lease?"""

from bert_training.contract.enums import JobStatus, Outcome
from bert_training.models import Job, JobAttempt
from tests.bench.crowd import CALLERS, PROCESSES, call_all, open_crowd, per_second
from tests.bench.frame import IS_QUICK, Figure
from tests.bench.job_rows import store_jobs
from tests.faults.stalling import COMPUTERS, REPEATED, STALLING, Caller, ticking_portal
from tests.personas import make_user, ready_dataset

JOBS = 1_000 if IS_QUICK else 10_000
NOTES = f"""*Stalls*: {CALLERS * COMPUTERS} computers, played by {CALLERS} callers in {PROCESSES} processes, claim,
report and complete {JOBS:,} jobs through the service functions, without training. After {STALLING:.0%} of the claims
the computer falls silent past its lease and comes back when others have gone on; {REPEATED:.0%} of the completions
are sent twice."""


def measure() -> list[Figure]:
    """Have all jobs completed; count what the callers were told against what is stored."""
    store_jobs(ready_dataset(make_user("ana")), "stalling", [{"turn": number} for number in range(JOBS)])
    with open_crowd() as crowd, ticking_portal():
        calls = call_all(crowd, play, range(CALLERS))
    accepted = sum(call.result for call in calls)
    completed = Job.objects.filter(status=JobStatus.COMPLETED).count()
    ended = JobAttempt.objects.filter(outcome=Outcome.COMPLETED)
    return [
        Figure("completions accepted beyond one a job", "", [accepted - completed], goal=0.0),
        Figure("attempts completed beyond one a job", "", [ended.count() - completed], goal=0.0),
        Figure("jobs never completed", "", [JOBS - completed], goal=0.0),
        Figure("attempts that were lost meanwhile", "", [JobAttempt.objects.filter(outcome=Outcome.LOST).count()]),
        Figure("jobs claimed, reported, completed", "1/s", [JOBS * per_second(calls) / len(calls)]),
    ]


def play(seed: int) -> int:
    """Play a few computers until all jobs are completed; returns how many completions were accepted."""
    caller = Caller(seed)
    caller.work()
    return caller.accepted
