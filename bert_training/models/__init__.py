"""Django rows, one noun a file."""

from bert_training.models.audit import AuditEvent
from bert_training.models.base_model import BaseModel
from bert_training.models.dataset import Dataset
from bert_training.models.erasure import Erasure, ErasureCopy
from bert_training.models.home import HomeVisit, PutAside
from bert_training.models.invitation import Invitation
from bert_training.models.job import Job, JobAttempt, PortalTick
from bert_training.models.manifest import DatasetManifest
from bert_training.models.notification import Dispatch, Notification, NotificationChoice, Occurrence
from bert_training.models.profile import DatasetProfile, TokenLengths
from bert_training.models.proof import GradeScale, Prediction, RunProof
from bert_training.models.quota import DeletedGpuTime, Quota
from bert_training.models.run import IdempotentRequest, Run, SplitManifest
from bert_training.models.run_tag import RunTag
from bert_training.models.shared_state import CacheEntry, RateBucket
from bert_training.models.team import DatasetShare, RunShare, Team
from bert_training.models.telemetry import Log, Metric
from bert_training.models.token import AccessToken
from bert_training.models.webhook import Webhook
from bert_training.models.worker import Worker

__all__ = [
    "AccessToken",
    "AuditEvent",
    "BaseModel",
    "CacheEntry",
    "Dataset",
    "DatasetManifest",
    "DatasetProfile",
    "DatasetShare",
    "DeletedGpuTime",
    "Dispatch",
    "Erasure",
    "ErasureCopy",
    "GradeScale",
    "HomeVisit",
    "IdempotentRequest",
    "Invitation",
    "Job",
    "JobAttempt",
    "Log",
    "Metric",
    "Notification",
    "NotificationChoice",
    "Occurrence",
    "PortalTick",
    "Prediction",
    "PutAside",
    "Quota",
    "RateBucket",
    "Run",
    "RunProof",
    "RunShare",
    "RunTag",
    "SplitManifest",
    "Team",
    "TokenLengths",
    "Webhook",
    "Worker",
]
