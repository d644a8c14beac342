"""The rulebook: eight decision tables that people edit as spreadsheets, and the answers they give.

`tables.py` says what the tables are · `csv_files.py`, `workbook.py` bring them in and out · `parse.py`, `cells.py`,
`agreement.py` refuse what cannot be used · `zen_model.py`, `evaluate.py` answer questions · `check.py` looks for rows
that cannot do what their author hoped · `versions.py` compares two versions.

No SQL, no HTTP, no vendor's word. Storing and publishing versions belongs to `store/` and `operations/`.
"""
