"""The HTTP skin: webhook intake, health, metrics, the OpenAPI documents, and REST over the operations.

Everything a person can ask or do lives in `operations`; pages live in `console`. No decision and no SQL here.
"""
