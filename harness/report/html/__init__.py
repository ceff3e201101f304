"""The report that people look at: one HTML page from a run's folder."""

from harness.report.html.page import write_page
from harness.report.html.source import PastRun, RunError, past_run, read_run

__all__ = ["PastRun", "RunError", "past_run", "read_run", "write_page"]
