"""Writes a report as one HTML file that needs nothing else: style and pictures stand in it, no script."""

from django.template.loader import render_to_string
from django.utils import translation

from bert_training.services.reporting.blocks import Block, Bullets, Facts, Grid, Paragraph, Picture, Report

TEMPLATES: dict[type[Block], str] = {
    Paragraph: "reports/_paragraph.html",
    Bullets: "reports/_bullets.html",
    Facts: "reports/_facts.html",
    Grid: "reports/_grid.html",
    Picture: "reports/_picture.html",
}


def to_html(report: Report) -> str:
    """Return the whole file; everything in it is escaped."""
    sections = [
        {"title": section.title, "blocks": [(TEMPLATES[type(block)], block) for block in section.blocks]}
        for section in report.sections
    ]
    context = {"report": report, "sections": sections, "language": report.language}
    with translation.override(report.language):
        return render_to_string("reports/report.html", context)
