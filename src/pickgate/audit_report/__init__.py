"""How a look back is shown: one HTML file without script, CSV files, JSON. Nothing here reads or judges anything."""

from pickgate.audit_report.figures import Frame
from pickgate.audit_report.files import render_csv_files, render_json
from pickgate.audit_report.page import render_page

__all__ = ["Frame", "render_csv_files", "render_json", "render_page"]
