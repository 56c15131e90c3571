"""The declared evaluation of the trained model, run seed by seed and kept in files.

It touches no database: published tables and simulated chains go in, files of results come out.
"""
