"""Teams, and what is shared with them."""

from typing import Any

from rest_framework import serializers

from bert_training.contract.enums import ShareLevel
from bert_training.models import Team


class TeamSerializer(serializers.ModelSerializer[Team]):
    """A team with those who belong to it. Needs its members loaded."""

    members = serializers.SerializerMethodField()

    class Meta:
        model = Team
        fields = ("id", "name", "description", "members")
        read_only_fields = fields

    def get_members(self, team: Team) -> list[str]:
        """Return the user names of those who can sign in."""
        return [member.username for member in team.members.all()]


class ShareSerializer(serializers.Serializer[Any]):
    """What one team may do with a row."""

    team = serializers.IntegerField(source="team_id")
    team_name = serializers.CharField(source="team.name")
    level = serializers.ChoiceField(choices=[level.value for level in ShareLevel])


class SharesSerializer(serializers.Serializer[Any]):
    """With which teams a row is shared: all of them to who may share it, to others those of their own teams."""

    shares = ShareSerializer(many=True)
