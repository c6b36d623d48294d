"""How pages send their charts: as the admin does, by bert_training/charts."""

from bert_training.charts.saving import ChartForm, send_chart

__all__ = ["ChartForm", "send_chart"]
