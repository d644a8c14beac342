"""The app that people import into Retool: a generator, and a strict linter of what it makes.

The app is a skin over our API: each of its queries is built from an operation of the OpenAPI document, and a query that
the document does not know cannot be built. Nothing here talks to Retool.
"""
