"""Adds the reference of the ingestion benchmark to the portal's addresses: what a tutorial would write.

A DRF serializer with many=True and bulk_create; the same check of the token, one transaction, the same rows and
counters.
"""

from typing import Any

from django.db import transaction
from django.http import Http404
from django.urls import path
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bert_training.contract.enums import LogLevel
from bert_training.models import AccessToken, Job, JobAttempt, Log, Worker
from bert_training.models.token import token_digest
from portal import urls

NAIVE_PATH = "/naive/logs/batch"


class LineSerializer(serializers.Serializer[Log]):
    ts = serializers.DateTimeField()
    level = serializers.ChoiceField([level.value for level in LogLevel])
    message = serializers.CharField(max_length=16384, trim_whitespace=False)


class BatchSerializer(serializers.Serializer[Log]):
    job_id = serializers.IntegerField(min_value=1)
    attempt = serializers.IntegerField(min_value=1)
    first_seq = serializers.IntegerField(min_value=1)
    lines = LineSerializer(many=True)


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Worker, AccessToken]:
        """Find the worker's token, as the authentication of DRF does."""
        digest = token_digest(request.headers["Authorization"].removeprefix("Bearer "))
        tokens = AccessToken.objects.usable().select_related("worker")
        token = tokens.filter(digest=digest, worker__active=True).first()
        if token is None or token.worker is None:
            raise AuthenticationFailed
        return token.worker, token


class NaiveLogBatch(APIView):
    """POST naive/logs/batch."""

    parser_classes = [JSONParser]
    authentication_classes = [TokenAuthentication]
    permission_classes = []

    def post(self, request: Request) -> Response:
        """Store the lines of one batch that are new."""
        batch = BatchSerializer(data=request.data)
        batch.is_valid(raise_exception=True)
        data = batch.validated_data
        with transaction.atomic():
            job = Job.objects.select_for_update().filter(pk=data["job_id"]).first()
            worker: Any = request.user
            attempts = JobAttempt.objects.select_for_update().filter(job=job, worker=worker)
            attempt = attempts.filter(number=data["attempt"]).first()
            if job is None or attempt is None:
                raise Http404
            if data["first_seq"] > attempt.log_seq + 1:
                return Response({"code": "stream_gap", "next_seq": attempt.log_seq + 1}, status=409)
            rows = [
                Log(
                    run_id=job.run_id,
                    attempt=attempt,
                    seq=seq,
                    timestamp=line["ts"],
                    level=line["level"],
                    message=line["message"],
                )
                for seq, line in enumerate(data["lines"], start=data["first_seq"])
                if seq > attempt.log_seq
            ]
            Log.objects.bulk_create(rows)
            attempt.log_seq += len(rows)
            attempt.save()
            job.log_lines += len(rows)
            job.log_bytes += sum(len(row.message.encode()) for row in rows)
            job.save()
        return Response({"next_seq": attempt.log_seq + 1, "directive": job.directive()})


urlpatterns = [path(NAIVE_PATH.lstrip("/"), NaiveLogBatch.as_view()), *urls.urlpatterns]
